package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/verifier"
)

var verifyCommand = command{
	name: "verify", short: "check a credential",
	help: `usage: attesta verify FILE|URL|-... [--json] [--at TIME] [--offline] [--trust PATH]
                      [--static DIR]

Judges sealed credentials from public information only: the seal, who vouches
for the sealer, the dates, and the signed status list that is named. A FILE is a
sealed file, a credential for wallets (SD-JWT VC), a PDF with credentials
attached, a PNG or SVG badge, a picture or the text of a compact QR, or a ZIP of
these; any other QR is told where it leads, which is not opened. URL is the address of a sealed file, of the page behind a
QR, which keeps back a file that holds a birth date or a national number, or of
a compact QR, which is not opened either; - reads standard input.
Several files are checked on all cores, with one line for each thing in them.

  --json         print the report as JSON, of several things a list of answers
  --at TIME      ask about another day: 2026-03-14 or 2026-03-14T10:00:00Z
  --offline      ask nobody; whether it was revoked is then not known
  --trust PATH   file or folder of anchors, the authorities you trust, and of
                 lists of accredited providers ($ATTESTA_TRUST)
  --data DIR     trust the installation in this folder ($ATTESTA_DATA); only its
                 anchors are read
  --static DIR   a folder that attesta export wrote: ask it, and nobody else, for
                 status lists, and without --trust trust its anchors. What it
                 says is as old as it is

Without any of them nobody vouches for a seal: nothing is trusted because of where a
file lies.

Exit code: 0 valid, 1 not valid, 2 called wrongly, 3 cannot tell, also where
there is nothing to check; of several the worst: 1 before 3 before 0.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("verify")
		data, trust := f.String("data", c.getenv("ATTESTA_DATA"), ""), f.String("trust", c.getenv("ATTESTA_TRUST"), "")
		asJSON, at, offline := f.Bool("json", false, ""), f.String("at", "", ""), f.Bool("offline", false, "")
		static := f.String("static", "", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) == 0 {
			return exitUsage, misuse("for example: attesta verify SN-11-6C0F6C0E.jsonld", "name a file, an address, or - for standard input")
		}
		moment, err := moment(*at, c.now())
		if err != nil {
			return exitUsage, err
		}
		if *static != "" {
			if len(rest) != 1 {
				return exitUsage, misuse("check one after the other", "--static takes one file")
			}
			return verifyStatic(ctx, c, rest[0], *static, *trust, moment, *asJSON)
		}
		anchors, err := trusted(*trust, *data)
		if err != nil {
			return exitUsage, err
		}
		lists, err := heldFor(*trust, *data)
		if err != nil {
			return exitUsage, err
		}
		answers, err := verify(ctx, c, rest, verifier.Config{
			Trust: func() keys.Trust { return anchors }, Now: c.now, Accreditations: func() accreditation.Lists { return lists },
		}, moment, *offline)
		if errors.Is(err, verifier.ErrUnreachable) || errors.Is(err, verifier.ErrRefused) {
			return exitCannotTell, err
		}
		if err != nil {
			return exitUsage, err
		}
		return exitOf(answers), printAnswers(c, answers, *asJSON)
	},
}

// trusted reads the anchors that a person names. What is named and is not there
// is a mistake.
func trusted(path, data string) (keys.Trust, error) {
	if path == "" && data == "" {
		return keys.Trust{}, nil
	}
	own := keys.Trust{}
	if path == "" {
		path = folder(data).trust()
		var err error
		if own, err = keys.LoadTrust(folder(data).own()); err != nil {
			return own, err
		}
	}
	if _, err := os.Stat(path); err != nil {
		return keys.Trust{}, misuse("name a folder that attesta made, or a file of anchors", "there are no anchors in %s", path)
	}
	t, err := keys.LoadTrust(path)
	for _, a := range own.Anchors {
		t = alsoRevoked(t, a.Revoked)
	}
	return t, err
}

// moment reads a day, which means its end in Rome, or a time. Nothing, and today,
// mean now, which is the zero time.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	day, whole, err := startOf(s)
	if err != nil || !whole {
		return day, err
	}
	end := day.AddDate(0, 0, 1).Add(-time.Second)
	if now.After(day) && now.Before(end) {
		return time.Time{}, nil
	}
	return end, nil
}

// headline is the verdict in one line, for people and for scripts that look
// for a word.
func headline(r verifier.Report) string {
	switch r.Verdict {
	case verifier.Valid:
		return "VALID"
	case verifier.NotValid:
		word, ok := map[string]string{
			"status_revoked": "REVOKED", "status_suspended": "SUSPENDED", "validity_expired": "EXPIRED",
			"validity_not_yet": "NOT YET VALID", "seal_broken": "SEAL BROKEN",
			"accreditation_not_then": "NOT ACCREDITED", "accreditation_not_yet": "NOT YET ACCREDITED", "accreditation_suspended_then": "ACCREDITATION SUSPENDED",
		}[r.Reason]
		if !ok {
			word = strings.ToUpper(strings.ReplaceAll(r.Reason, "_", " "))
		}
		return "NOT VALID: " + word
	}
	return "CANNOT TELL: " + strings.ToUpper(strings.ReplaceAll(r.Reason, "_", " "))
}

// otherDay says which moment an answer is about, where it is not that of the check.
func otherDay(r verifier.Report, language string) string {
	if r.At.Equal(r.CheckedAt) {
		return ""
	}
	return verifier.Filled(wordsOfVerify(language).asked, "day", verifier.Day(r.At, language), "time", r.At.Format("15:04 MST"))
}

// issuedOn is the day of issuing, "" where a credential for wallets does not show
// it.
func issuedOn(v *credentials.View, language string) string {
	if v.Issued.IsZero() {
		return ""
	}
	return verifier.Day(v.Issued, language)
}

// known joins what is known.
func known(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), between)
}

func printReport(c *console, r verifier.Report) {
	language := c.checked()
	words := wordsOfVerify(language)
	c.printf("%s\n", headline(r))
	if v := r.Credential; v != nil {
		title, _ := v.Title.In(language)
		for _, line := range []string{title, v.HolderName, known(", ", v.Issuer, issuedOn(v, language))} {
			if line != "" {
				c.printf("  %s\n", plain(line))
			}
		}
		if provider, _ := v.AwardedBy.In(language); provider != "" {
			c.printf("  "+words.awarded+"\n", plain(provider))
		}
		if r.NowNamed != "" {
			c.printf("  "+words.signsAs+"\n", plain(r.NowNamed))
		}
		for _, m := range v.More {
			title, _ := m.Title.In(language)
			c.printf("  + %s\n", plain(title))
		}
	}
	for _, check := range r.Checks {
		found, todo := verifier.Words(check, language)
		c.printf("  %-8s %-13s %s\n", check.Outcome, check.ID, plain(found))
		if source := verifier.Source(check, language); source != "" {
			c.printf("  %-8s %-13s   %s\n", "", "", plain(source))
		}
		if todo != "" && check.Outcome != verifier.Pass {
			c.printf("  %-8s %-13s → %s\n", "", "", plain(todo))
		}
	}
	if day := otherDay(r, language); day != "" {
		c.printf("  %s\n", day)
	}
	if r.Reason == "issuer_unrecognised" {
		c.printf("  to trust an installation or an authority: --data DIR or --trust PATH\n")
	}
}
