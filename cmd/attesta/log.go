package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"attesta/auditlog"
	"attesta/registry"
)

var logCommand = command{
	name: "log", short: "sign, prove and check the audit log",
	help: `usage: attesta log checkpoint [--data DIR]
       attesta log prove [ID] [--since FILE] [--out FILE] [--data DIR]
       attesta log check FILE|DIR|- --key KEY [--since FILE]
       attesta log key [--data DIR]

Every change of an installation is an entry in its audit log, and no entry can be
changed or taken away without that showing. checkpoint prints how far the log has
come, signed: who keeps it can find out later whether the log was rewritten. A
running server signs one every minute and shows it at /log/checkpoint.

prove writes a file for somebody else: the entries about a credential, what they
say, and the proof that they are in the log. ID is the credential's number, its
id, its QR address or the sealed file, or else the number of one entry; without
it the file proves only how the log grew. check reads such a file, a checkpoint,
or the whole log in a folder that attesta export wrote, and needs no
installation. key prints the public key of the log.

  --key KEY      what attesta log key prints, or a file with it. Get it from who
                 runs the log, and not with the file
  --since FILE   an earlier checkpoint: prove that the log only grew since
  --out FILE     where to write the proof (standard output)
  --data DIR     folder of the installation (attesta-data, or $ATTESTA_DATA)

Exit code of check: 0 it holds, 1 it does not, 2 called wrongly, 3 cannot tell.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("log")
		data := dataFlag(f, c)
		given := logFlags{key: f.String("key", "", ""), since: f.String("since", "", ""), out: f.String("out", "", "")}
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if err := given.check(rest); err != nil {
			return exitUsage, err
		}
		var since []byte
		if *given.since != "" {
			file, err := readFile(*given.since)
			if err != nil {
				return exitUsage, err
			}
			since = file.Data
		}
		if rest[0] == "check" {
			return checkLogFile(c, rest[1], *given.key, since)
		}
		q := logRequest{Do: rest[0], Since: since}
		if len(rest) > 1 {
			if q.ID, err = idOf(rest[1]); err != nil {
				return exitUsage, err
			}
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		answer, err := o.Log(ctx, q)
		if err != nil {
			return exitNo, logHint(*data, err)
		}
		return exitDone, printLog(c, answer, *given.out)
	},
}

type logFlags struct{ key, since, out *string }

// check finds what was called wrongly.
func (g logFlags) check(rest []string) error {
	const usage = "attesta log checkpoint | prove [ID] | check FILE | key"
	if len(rest) == 0 {
		return misuse(usage, "say what to do")
	}
	least, most, may := 0, 0, ""
	switch rest[0] {
	case "checkpoint", "key":
	case "prove":
		most, may = 1, "since out"
	case "check":
		least, most, may = 1, 1, "key since"
	default:
		return misuse(usage, "there is no attesta log %q", rest[0])
	}
	switch n := len(rest) - 1; {
	case n < least:
		return misuse("attesta log check FILE --key KEY", "name the file to check")
	case n > most:
		return misuse(usage, "%q is one word too many", rest[most+1])
	case rest[0] == "prove" && n == 0 && *g.since == "":
		return misuse("attesta log prove ID, or attesta log prove --since FILE", "say what to prove")
	}
	for name, value := range map[string]string{"key": *g.key, "since": *g.since, "out": *g.out} {
		if value != "" && !strings.Contains(may, name) {
			return misuse("", "attesta log %s has no flag --%s", rest[0], name)
		}
	}
	return nil
}

func logHint(data string, err error) error {
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return &hinted{err, "the installation in " + data + " does not know it: give its number, its id, its QR address, the sealed file, or the number of an entry"}
	case errors.Is(err, errForked):
		return &hinted{err, "attesta doctor --data " + data + " says more; see docs/explanation/log.md"}
	}
	return err
}

// printLog prints what an installation answered.
func printLog(c *console, a logAnswer, out string) error {
	if a.Proof == nil {
		text := string(a.Checkpoint)
		if a.Key != "" {
			text = a.Key + "\n"
		}
		_, err := io.WriteString(c.out, text)
		return err
	}
	raw, err := a.Proof.Bytes()
	if err != nil {
		return err
	}
	if out == "" {
		_, err := c.out.Write(raw)
		return err
	}
	if err := os.WriteFile(out, raw, 0o600); err != nil {
		return fmt.Errorf("writing the proof: %w", err)
	}
	c.printf("%s: %s proven\n", plain(out), entries(uint64(len(a.Proof.Entries))))
	return nil
}

// checkLogFile judges a file of proofs or a checkpoint.
func checkLogFile(c *console, name, key string, since []byte) (int, error) {
	key, err := keyOf(key)
	if err != nil {
		return exitUsage, err
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return checkLogFolder(c, name, key, since)
	}
	raw, err := readNamed(c, name)
	if err != nil {
		return exitUsage, err
	}
	proof := auditlog.Proof{Format: auditlog.Format, Checkpoint: string(raw)}
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		if proof, err = auditlog.ParseProof(raw); err != nil {
			return sayLog(c, exitNo, "NOT VALID: FORMAT", err)
		}
	}
	if key == "" {
		if _, err := auditlog.Unverified([]byte(proof.Checkpoint)); err != nil {
			return sayLog(c, exitNo, "NOT VALID: FORMAT", err)
		}
		return sayLog(c, exitCannotTell, "CANNOT TELL: KEY UNKNOWN", errors.New("say whose log it must be: --key KEY"))
	}
	checked, err := proof.Check(key, since)
	switch {
	case errors.Is(err, auditlog.ErrKey):
		return exitUsage, misuse("attesta log key prints it", "--key: %s", err)
	case errors.Is(err, auditlog.ErrNoGrowth):
		return sayLog(c, exitCannotTell, "CANNOT TELL: OTHER CHECKPOINT", err)
	case errors.Is(err, auditlog.ErrSigner):
		return sayLog(c, exitNo, "NOT VALID: SIGNATURE", err)
	case errors.Is(err, auditlog.ErrInvalid):
		return sayLog(c, exitNo, "NOT VALID: FORMAT", err)
	case err != nil:
		return sayLog(c, exitNo, "NOT VALID: LOG DIFFERS", err)
	}
	printChecked(c, checked)
	return exitDone, nil
}

func sayLog(c *console, code int, headline string, why error) (int, error) {
	c.printf("%s\n  %s\n", headline, plain(why.Error()))
	return code, nil
}

func printChecked(c *console, k auditlog.Checked) {
	c.printf("VALID\n  the log %s had %s, root %s\n", plain(k.Checkpoint.Origin), entries(k.Checkpoint.Size), k.Checkpoint.Root)
	if k.Since != nil {
		c.printf("  it grew from the checkpoint over %d: nothing before was changed or taken away\n", k.Since.Size)
	}
	for _, e := range k.Entries {
		c.printf("  entry %d  %s  %s  %s", e.Seq, e.At.Format(time.RFC3339), plain(e.Kind), plain(e.What))
		for _, more := range []struct{ word, text string }{{"by", e.By}, {"why:", e.Why}} {
			if more.text != "" {
				c.printf("  %s %s", more.word, plain(more.text))
			}
		}
		c.printf("\n")
	}
}

// keyOf is a key that a person names: the key itself, or a file with it.
func keyOf(given string) (string, error) {
	if given == "" || strings.Contains(given, "+") {
		return given, nil
	}
	file, err := readFile(given)
	if err != nil {
		return "", misuse("attesta log key prints it", "--key is neither a key nor a file: %s", err)
	}
	return strings.TrimSpace(string(file.Data)), nil
}

// readNamed reads a file, or standard input.
func readNamed(c *console, name string) ([]byte, error) {
	if name == "-" {
		return readAll(c.in)
	}
	file, err := readFile(name)
	return file.Data, err
}
