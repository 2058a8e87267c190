package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"attesta/brief"
	"attesta/keys"
	"attesta/presentation"
	"attesta/verifier"
)

// verify judges everything that is named, in order.
func verify(ctx context.Context, c *console, named []string, config verifier.Config, at time.Time, offline bool) ([]presentation.Answer, error) {
	guarded := verifier.NewGuarded()
	if !offline {
		config.Fetcher = verifier.NewKept(guarded, c.now)
	}
	reader := presentation.NewReader("")
	var items []presentation.Item
	for _, what := range named {
		if text, ok := brief.In([]byte(what)); ok { // all of it is in the address, which is not opened
			items = append(items, reader.ReadText(text))
			continue
		}
		if strings.HasPrefix(what, "https://") || strings.HasPrefix(what, "http://") {
			if offline {
				return nil, misuse("", "--offline and an address do not go together")
			}
			body, err := fetchPresented(ctx, what, config.Trust(), guarded)
			if err != nil {
				return nil, err
			}
			items = append(items, presentation.Item{Name: plain(what), Found: presentation.InFile, Sealed: body})
			continue
		}
		file, err := readPresented(c, what)
		if err != nil {
			return nil, err
		}
		items = append(items, reader.Read(ctx, file)...)
	}
	v := verifier.New(config)
	return presentation.Check(ctx, items, func(ctx context.Context, i presentation.Item) (verifier.Report, error) {
		return v.VerifyAt(ctx, i.Sealed, at)
	})
}

// fetchPresented fetches what lies behind an address that a person named.
func fetchPresented(ctx context.Context, address string, anchors keys.Trust, guarded *verifier.Guarded) ([]byte, error) {
	var origins []string
	for _, a := range anchors.Anchors {
		origins = append(origins, a.Origins...)
	}
	body, err := guarded.Fetch(ctx, address, origins)
	if errors.Is(err, verifier.ErrWithheld) {
		return nil, &hinted{
			fmt.Errorf("fetching %s: %w", address, err),
			"the page behind a QR keeps back a file with a birth date or a national number: open it in a browser, or ask the holder for the file and check that",
		}
	}
	if err != nil {
		return nil, &hinted{fmt.Errorf("fetching %s: %w", address, err), "download the file in a browser and check that"}
	}
	return body, nil
}

// readPresented reads a file that a person named, or standard input.
func readPresented(c *console, name string) (presentation.File, error) {
	from, size := c.in, int64(0)
	if name != "-" {
		file, err := os.Open(filepath.Clean(name))
		if err != nil {
			return presentation.File{}, &hinted{fmt.Errorf("reading the file: %w", err), "check the name and the folder"}
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			if info.IsDir() {
				return presentation.File{}, misuse("name the files in it, for example with *.jsonld", "%s is a folder", name)
			}
			size = info.Size()
		}
		from = file
	}
	var data bytes.Buffer
	data.Grow(int(min(size, presentation.MaxBytes)) + bytes.MinRead)
	_, err := data.ReadFrom(io.LimitReader(from, presentation.MaxBytes+1))
	if err == nil && data.Len() > presentation.MaxBytes {
		err = errors.New("it is larger than 50 MB")
	}
	if err != nil {
		return presentation.File{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return presentation.File{Name: filepath.Base(name), Data: data.Bytes()}, nil
}

// exitOf is the worst of the answers: not valid, then cannot tell, then valid.
// Where there was nothing to check, nobody can tell.
func exitOf(answers []presentation.Answer) int {
	code := exitDone
	for _, a := range answers {
		switch {
		case a.Report == nil:
			code = exitCannotTell
		case a.Report.Verdict == verifier.NotValid:
			return exitNo
		case a.Report.Verdict != verifier.Valid:
			code = exitCannotTell
		}
	}
	return code
}

// printAnswers prints the report about one thing, or a line for each of several.
func printAnswers(c *console, answers []presentation.Answer, asJSON bool) error {
	one := len(answers) == 1
	switch {
	case asJSON && one && answers[0].Report != nil:
		return printJSON(c, answers[0].Report)
	case asJSON && one:
		return printJSON(c, answers[0])
	case asJSON:
		return printJSON(c, struct {
			CheckedAt time.Time             `json:"checked_at"`
			Results   []presentation.Answer `json:"results"`
		}{c.now(), answers})
	case one && answers[0].Report != nil:
		printReport(c, *answers[0].Report)
		return nil
	case one:
		c.printf("NOTHING TO CHECK\n")
		for _, line := range unread(answers[0].Item, c.checked()) {
			c.printf("  %s\n", plain(line))
		}
		return nil
	}
	counts, day := map[string]int{}, ""
	for _, a := range answers {
		var word, said string
		if a.Report == nil {
			word, said = "NOTHING TO CHECK", unread(a.Item, c.checked())[0]
		} else {
			word, _, _ = strings.Cut(headline(*a.Report), ":")
			said, day = about(*a.Report, c.checked()), otherDay(*a.Report, c.checked())
		}
		counts[word]++
		c.printf("%-16s  %s  %s\n", word, plain(a.Name), plain(said))
	}
	c.printf("%s: %d valid, %d not valid, %d cannot tell, %d with nothing to check\n", count(len(answers), "thing"),
		counts["VALID"], counts["NOT VALID"], counts["CANNOT TELL"], counts["NOTHING TO CHECK"])
	if day != "" {
		c.printf("  %s\n", day)
	}
	return nil
}

// about says in one line whose credential it is, or why it is not valid.
func about(r verifier.Report, language string) string {
	var parts []string
	if r.Verdict != verifier.Valid {
		_, why, _ := strings.Cut(headline(r), ": ")
		parts = append(parts, strings.ToLower(why))
	}
	if v := r.Credential; v != nil {
		title, _ := v.Title.In(language)
		parts = append(parts, v.HolderName, title, v.Issuer, issuedOn(v, language))
	}
	return known(", ", parts...)
}

// unread says in lines why a thing was not judged, and what to do.
func unread(i presentation.Item, language string) []string {
	words := wordsOfVerify(language)
	switch {
	case i.Address != nil:
		return []string{fmt.Sprintf(words.leads, i.Address.Text, i.Address.ASCII), fmt.Sprintf(words.trust, i.Address.Text)}
	case i.Text != "":
		return []string{fmt.Sprintf(words.text, i.Text)}
	}
	found, todo := i.Problem.Words(language)
	return []string{found, todo}
}
