package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"attesta/intake"
	"attesta/issuer"
	"attesta/status"
)

var issueCommand = command{
	name: "issue", short: "issue credentials from a list of completions",
	help: `usage: attesta issue [--data DIR] --completions FILE.csv [--out DIR] [--locale iso|it] [--json]

Reads who completed what, and issues a credential for every row that justifies
one. The same row again gives the first credential; nothing is issued twice.
Each row gets one of four answers: issued, already issued, not eligible, or
refused with the column, what is wrong and how to mend it.

  --data DIR           folder of the installation (attesta-data, or $ATTESTA_DATA)
  --completions FILE   CSV with learner_id, module_code, edition,
                       completion_date, attendance_percent, result [, score ...]
  --locale iso|it      how dates and numbers are written: 2026-05-29 and 87.5, or
                       29/05/2026 and 87,5 as well (iso)
  --out DIR            write the sealed files and results.csv into this folder.
                       results.csv holds names and each person's own link: keep
                       it private
  --json               print the answers as JSON

Exit code: 0 when no row was refused, 1 when some were, 2 when called wrongly.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("issue")
		data, completions := dataFlag(f, c), f.String("completions", "", "")
		out, locale, asJSON := f.String("out", "", ""), f.String("locale", "iso", ""), f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		switch {
		case *completions == "":
			return exitUsage, misuse("for example: attesta issue --completions class.csv", "name the list with --completions FILE.csv")
		case len(rest) > 0:
			return exitUsage, misuse("one list at a time", "%q is one word too many", rest[0])
		case *locale != "iso" && *locale != "it":
			return exitUsage, misuse("", "--locale is iso or it, not %q", *locale)
		}
		file, err := readFile(*completions)
		if err != nil {
			return exitUsage, err
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		answer, err := o.Issue(ctx, issueRequest{File: file, Locale: *locale})
		if *out != "" && len(answer.Rows) > 0 {
			// Also when the rest was stopped: what was issued is handed out.
			err = errors.Join(err, writeOut(context.WithoutCancel(ctx), o, *out, answer.Rows))
		}
		if *asJSON {
			err = errors.Join(err, printJSON(c, answer))
		} else if len(answer.Rows) > 0 || err == nil {
			printRows(c, answer.Rows)
		}
		if err != nil {
			return exitNo, err
		}
		for _, row := range answer.Rows {
			if row.Outcome == issuer.Refused {
				return exitNo, nil
			}
		}
		return exitDone, nil
	},
}

func printJSON(c *console, v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// atOnce is how many sealed files are asked for at a time: some 20 MB.
const atOnce = 200

// writeOut writes the sealed files, named after the row and not after the
// person, and a table of what became of every row.
func writeOut(ctx context.Context, o operator, dir string, rows []rowAnswer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for the files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the folder for the files: %w", err)
	}
	defer root.Close()
	sameCredential := map[string][]*rowAnswer{} // it may stand in two rows
	var ids []string
	for n := range rows {
		id := rows[n].Credential
		if id == "" {
			continue
		}
		if sameCredential[id] == nil {
			ids = append(ids, id)
		}
		sameCredential[id] = append(sameCredential[id], &rows[n])
	}
	taken := map[string]bool{}
	for part := range slices.Chunk(ids, atOnce) {
		files, err := o.HandOut(ctx, part)
		if err == nil && len(files) != len(part) {
			err = errors.New("reading the sealed files: some are missing")
		}
		if err != nil { // what could be written is told all the same
			return errors.Join(err, writeResults(root, rows))
		}
		for n, file := range files {
			if err := writeSealed(root, dir, file, sameCredential[part[n]], taken); err != nil {
				return err
			}
		}
	}
	return writeResults(root, rows)
}

// writeSealed writes one sealed file, and says so in the rows that it is of.
func writeSealed(root *os.Root, dir string, file handedOut, rows []*rowAnswer, taken map[string]bool) error {
	if file.Sealed == nil {
		return nil
	}
	name := rows[0].Number + ".jsonld"
	if taken[name] {
		name = strings.TrimPrefix(rows[0].Credential, "urn:credential:") + ".jsonld"
	}
	taken[name] = true
	if err := writePrivate(root, name, file.Sealed); err != nil {
		return fmt.Errorf("writing a sealed file: %w", err)
	}
	for _, row := range rows {
		row.File, row.Name, row.Email = filepath.Join(dir, name), file.Name, file.Email
	}
	return nil
}

// writePrivate writes a file that only its owner may read, whatever was there.
func writePrivate(root *os.Root, name string, data []byte) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.WriteFile(name, data, 0o600)
}

func writeResults(root *os.Root, rows []rowAnswer) error {
	table := [][]string{{"line", "row_id", "learner_id", "name", "email", "outcome", "status", "reason", "words", "credential", "file", "check_url", "claim_url"}}
	for _, r := range rows {
		name := ""
		if r.File != "" {
			name = filepath.Base(r.File)
		}
		table = append(table, []string{
			fmt.Sprint(r.Line), r.Row, r.Learner, r.Name, r.Email, string(r.Outcome), r.Status, r.Reason, r.Words["it"], r.Number, name, r.CheckURL, r.ClaimURL,
		})
	}
	var b bytes.Buffer
	if err := intake.WriteCSV(&b, table); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	if err := writePrivate(root, "results.csv", b.Bytes()); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

func printRows(c *console, rows []rowAnswer) {
	answers := map[issuer.Answer]int{}
	for _, r := range rows {
		answers[r.Outcome]++
		name := r.Row
		if name == "" {
			name = fmt.Sprintf("line %d", r.Line)
		}
		where := r.File
		if where == "" {
			where = r.CheckURL
		}
		outcome := strings.ReplaceAll(string(r.Outcome), "_", " ")
		if r.Status != "" && r.Status != status.Valid.String() {
			outcome += ", " + r.Status
		}
		c.printf("%-8s %-14s %s\n", plain(name), outcome, plain(strings.TrimSpace(r.Number+"  "+r.Learner+"  "+where)))
		printFindings(c, r)
	}
	c.printf("%s: %d issued, %d already issued, %d not eligible, %d refused\n", count(len(rows), "row"),
		answers[issuer.Issued], answers[issuer.AlreadyIssued], answers[issuer.NotEligible], answers[issuer.Refused])
}

func printFindings(c *console, r rowAnswer) {
	language := c.language()
	if r.Outcome == issuer.NotEligible {
		c.printf("           %s: %s\n", r.Reason, plain(r.Words[language]))
	}
	for _, f := range r.Findings {
		severity := ""
		if f.Severity == intake.Warning {
			severity = "warning: "
		}
		c.printf("           %s%s, column %s, %q: %s %s\n", severity, f.Code, plain(f.Column), plain(f.Value),
			plain(f.Message[language]), plain(f.Remedy[language]))
	}
	for _, a := range r.Adjusted {
		c.printf("           read %s %q as %q\n", plain(a.Column), plain(a.From), plain(a.To))
	}
}
