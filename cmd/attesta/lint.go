package main

import (
	"context"
	"errors"
	"strconv"

	"attesta/credentials"
	"attesta/registry"
)

var lintCommand = command{
	name: "lint", short: "say what a credential or a module lacks",
	help: `usage: attesta lint FILE [--json]
       attesta lint --module CODE [--data DIR] [--json]

Holds a document to the eleven mandatory elements of a micro-credential, to the
European application profile, to the code lists, and to what the Commission's
own readers refuse. It says by rule what is wrong, where, and which clause asks
for it, and warns of what is probably a mistake. It checks no seal: that is
attesta verify.

FILE is a sealed credential or an unsealed JSON-LD document. With --module it is
the credential that a module of this installation would give today.

  --module CODE   a module of the installation
  --data DIR      folder of the installation (attesta-data, or $ATTESTA_DATA)
  --json          print the findings as JSON

Exit code: 0 no error (warnings may remain), 1 errors, 2 called wrongly.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("lint")
		data, module, asJSON := dataFlag(f, c), f.String("module", "", ""), f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		var found []credentials.Finding
		switch {
		case *module != "" && len(rest) == 0:
			found, err = lintModule(ctx, c, folder(*data), *module)
		case *module == "" && len(rest) == 1:
			found, err = lintFile(rest[0])
		default:
			return exitUsage, misuse("for example: attesta lint SN-11-6C0F6C0E.jsonld", "name one file, or a module with --module CODE")
		}
		if err != nil {
			return worked(err), err
		}
		if *asJSON {
			err = printJSON(c, found)
		} else {
			printLint(c, found)
		}
		if len(credentials.Errors(found)) > 0 {
			return exitNo, err
		}
		return exitDone, err
	},
}

func lintModule(ctx context.Context, c *console, f folder, code string) ([]credentials.Finding, error) {
	o, err := reach(ctx, c, f)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	found, err := o.Lint(ctx, code)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, &hinted{err, "the catalogue has no such module: attesta import --catalogue FILE"}
	}
	return found, err
}

func lintFile(name string) ([]credentials.Finding, error) {
	file, err := readFile(name)
	if err != nil {
		return nil, err
	}
	parsed, err := credentials.ParseSealed(file.Data)
	if err == nil {
		return credentials.Lint(parsed.Payload(), nil), nil
	}
	if format, ok := errors.AsType[*credentials.FormatError](err); ok && format.Code != "not_sealed" {
		return nil, misuse("name a .jsonld file", "%s cannot be linted: %s", name, err)
	}
	return credentials.Lint(file.Data, nil), nil
}

func printLint(c *console, found []credentials.Finding) {
	language, at := c.language(), "at"
	words := map[credentials.Severity]string{credentials.Error: "error", credentials.Warning: "warning"}
	if language == "it" {
		at = "in"
		words = map[credentials.Severity]string{credentials.Error: "errore", credentials.Warning: "avviso"}
	}
	for _, f := range found {
		clause := f.Clause
		if language == "it" {
			clause = f.ClauseIT
		}
		c.printf("%-8s %s  %s\n              %s %s (%s)\n", words[f.Severity], f.Rule, plain(f.Message[language]), at, plain(f.Path), clause)
	}
	errors := len(credentials.Errors(found))
	warnings := len(found) - errors
	if language == "it" {
		c.printf("%s, %s\n", conto(errors, "errore", "errori"), conto(warnings, "avviso", "avvisi"))
		return
	}
	c.printf("%s, %s\n", count(errors, "error"), count(warnings, "warning"))
}

// conto is count in Italian.
func conto(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}
