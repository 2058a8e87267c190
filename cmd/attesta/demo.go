package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"time"

	"attesta/issuer"
	"attesta/registry"
	"attesta/web"
)

//go:embed demodata
var demoData embed.FS

var demoCommand = command{
	name: "demo", short: "try everything with a fictional school",
	help: `usage: attesta demo [--data DIR] [--listen ADDR]

Begins an installation for a fictional National School with 12 modules and 40
trainers, makes its keys, issues the 125 credentials that its 145 completions
justify, and serves the pages. Everything in it is invented; the keys are made
on this machine and vouched for by nobody else. Starting it again goes on with
the same data.

  --data DIR      folder of the installation (attesta-data, or $ATTESTA_DATA)
  --listen ADDR   address and port to listen on (127.0.0.1:8080, or $ATTESTA_LISTEN)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("demo")
		data, listen := dataFlag(f, c), f.String("listen", c.getenv("ATTESTA_LISTEN"), "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 {
			return exitUsage, misuse("", "%q is one word too many", rest[0])
		}
		err = demo(ctx, c, folder(*data), *listen)
		return worked(err), err
	},
}

func demo(ctx context.Context, c *console, f folder, listen string) error {
	started := time.Now()
	there, err := f.exists()
	if err != nil {
		return fmt.Errorf("looking for the data: %w", err)
	}
	if there {
		s, err := f.readSettings()
		if err != nil {
			return err
		}
		if !s.Demonstration {
			return &hinted{fmt.Errorf("%s holds an installation that is not a demonstration", string(f)), "choose another folder: attesta demo --data demo-data"}
		}
		// Its credentials name the address at which it began.
		if u, err := url.Parse(s.PublicURL); err == nil && listen == "" {
			listen = u.Host
		}
	}
	if listen == "" {
		listen = defaultAddress
	}
	listener, err := listenOn(ctx, listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	a, err := openOrBegin(ctx, c, f, settings{Demonstration: true}, listener.Addr())
	if err != nil {
		return err
	}
	defer a.Close()
	if own := "http://" + listener.Addr().String(); own != a.settings.PublicURL {
		return &hinted{fmt.Errorf("the credentials in %s point to %s, not to %s", string(f), a.settings.PublicURL, own), "leave --listen out, or choose another folder with --data"}
	}
	rows, err := (local{a}).loadDemo(ctx)
	if err != nil {
		return fmt.Errorf("loading the fictional school: %w", err)
	}
	return a.serveOn(ctx, listener, func(l local) error { return l.demoGreeting(ctx, c, rows, started) })
}

// loadDemo imports the school and issues; all of it may be there already.
func (l local) loadDemo(ctx context.Context) ([]rowAnswer, error) {
	var r importRequest
	for _, part := range []struct {
		name string
		into *[]namedFile
	}{
		{"provider_national_school.json", &r.Providers},
		{"catalogue_national_school.json", &r.Catalogues},
		{"cohort_tot_25.csv", &r.Learners},
		{"cohort_toolkit_15.csv", &r.Learners},
	} {
		file, err := demoFile(part.name)
		if err != nil {
			return nil, err
		}
		*part.into = append(*part.into, file)
	}
	l.resume(ctx)
	if _, err := l.Import(ctx, r); err != nil {
		return nil, err
	}
	completions, err := demoFile("completions_tot.csv")
	if err != nil {
		return nil, err
	}
	answer, err := l.Issue(ctx, issueRequest{File: completions})
	return answer.Rows, err
}

func demoFile(name string) (namedFile, error) {
	data, err := demoData.ReadFile("demodata/" + name)
	return namedFile{name, data}, err
}

func (l local) demoGreeting(ctx context.Context, c *console, rows []rowAnswer, started time.Time) error {
	issued, there := 0, 0
	var shown rowAnswer
	for _, row := range rows {
		switch row.Outcome {
		case issuer.Issued:
			issued++
		case issuer.AlreadyIssued:
			there++
		default:
			continue
		}
		if shown.Credential == "" {
			shown = row
		}
	}
	if shown.Credential == "" {
		return errors.New("the fictional school gave no credential")
	}
	counts, err := l.registry.Counts(ctx, "")
	if err != nil {
		return err
	}
	link, err := l.SignIn(ctx, "operator")
	if err != nil {
		return err
	}
	c.printf("A fictional National School, in the folder %s\n", string(l.folder))
	c.printf("  %d completions: %d credentials issued now, %d were there, %d rows gave none\n",
		len(rows), issued, there, len(rows)-issued-there)
	c.printf("  %d credentials in all; sealed with a demonstration key that nobody else vouches for\n\n", total(counts))
	c.printf("Open in a browser:\n")
	c.printf("  provider   %s\n", link)
	c.printf("  holder     %s\n", shown.ClaimURL)
	c.printf("  employer   %s/verify\n", l.settings.PublicURL)
	c.printf("  QR target  %s\n\n", shown.CheckURL)
	if err := web.QRTerminal(c.out, shown.CheckURL); err != nil {
		return err
	}
	c.printf("\nIn another terminal:\n")
	c.printf("  check a downloaded file    attesta verify --data %s FILE\n", string(l.folder))
	c.printf("  withdraw it                attesta status revoke --data %s FILE --reason issued-in-error\n", string(l.folder))
	c.printf("\nready in %d ms; stop with Ctrl-C\n", time.Since(started).Milliseconds())
	return nil
}

func total(c registry.Counts) uint64 { return c.Sealed + c.Reserved }
