package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"attesta/credentials"
	"attesta/registry"
)

var findCommand = command{
	name: "find", short: "find people and their credentials by name",
	help: `usage: attesta find NAME [--module CODE] [--edition EDITION] [--json] [--data DIR]

Prints the learners of whom every word of NAME begins a name, and their
credentials, newest first. Case and accents do not matter; one word must have at
least three letters. At most 50 people are printed.

  --module CODE       only credentials of this module
  --edition EDITION   only credentials of this edition
  --json              print what was found as JSON
  --data DIR          folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("find")
		data, asJSON := dataFlag(f, c), f.Bool("json", false, "")
		module, edition := f.String("module", "", ""), f.String("edition", "", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) == 0 {
			return exitUsage, misuse("for example: attesta find rossi", "say a name, or how it begins")
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		found, err := o.Find(ctx, findRequest{Name: strings.Join(rest, " "), Module: strings.ToUpper(*module), Edition: *edition})
		if errors.Is(err, registry.ErrInvalid) {
			return exitUsage, &hinted{err, "for example: attesta find rossi"}
		}
		if err != nil {
			return exitNo, err
		}
		if *asJSON {
			return exitDone, printFound(c, found)
		}
		for _, p := range found.People {
			c.printf("%s  %s\n", plain(p.Learner), plain(p.Name))
			for _, r := range p.Credentials {
				c.printf("  %s  %s  %s  %s\n", plain(r.Number), plain(r.Edition), r.Issued, r.Status)
			}
		}
		c.printf("%s found", count(len(found.People), "learner"))
		if found.More {
			c.printf("; there are more: say more of the name")
		}
		c.printf("\n")
		return exitDone, nil
	},
}

func printFound(c *console, found findAnswer) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(found)
}

type findRequest struct {
	Name    string `json:"name"`
	Module  string `json:"module,omitempty"`
	Edition string `json:"edition,omitempty"`
}

type findAnswer struct {
	People []foundLearner `json:"people"`
	More   bool           `json:"more,omitempty"`
}

type foundLearner struct {
	Learner     string            `json:"learner"`
	Name        string            `json:"name"`
	Credentials []foundCredential `json:"credentials,omitempty"`
}

type foundCredential struct {
	Credential string `json:"credential"`
	Number     string `json:"number"`
	Module     string `json:"module"`
	Edition    string `json:"edition"`
	Issued     string `json:"issued,omitempty"` // 2006-01-02
	Status     string `json:"status"`           // or "reserved"
}

// mostFound bounds how many people one search prints.
const mostFound = 50

func (l local) Find(ctx context.Context, q findRequest) (findAnswer, error) {
	answer := findAnswer{People: []foundLearner{}}
	people, next, err := l.registry.FindLearners(ctx, q.Name, "", mostFound)
	if err != nil {
		return answer, err
	}
	answer.More = next != ""
	for _, p := range people {
		records, err := l.registry.Records(ctx, registry.Query{Learner: p.Ref, Module: q.Module, Edition: q.Edition, Limit: registry.MaxLimit})
		if err != nil {
			return answer, fmt.Errorf("reading the credentials of a learner: %w", err)
		}
		if len(records) == 0 && q.Module+q.Edition != "" {
			continue
		}
		found := foundLearner{Learner: p.Ref, Name: credentials.Learner{GivenName: p.GivenName, FamilyName: p.FamilyName}.FullName()}
		for _, r := range records {
			x := foundCredential{Credential: r.Credential, Number: credentials.Number(r.Module, r.Credential), Module: r.Module, Edition: r.Edition, Status: r.Status.String()}
			if r.State == registry.Sealed {
				x.Issued = r.SealedAt.In(l.zone).Format("2006-01-02")
			} else {
				x.Status = string(r.State)
			}
			found.Credentials = append(found.Credentials, x)
		}
		answer.People = append(answer.People, found)
	}
	return answer, nil
}

func (r *remote) Find(ctx context.Context, q findRequest) (a findAnswer, err error) {
	return a, r.call(ctx, "find", q, &a)
}
