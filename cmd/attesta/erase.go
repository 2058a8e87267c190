package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"attesta/registry"
)

var eraseCommand = command{
	name: "erase", short: "erase what is known of a learner",
	help: `usage: attesta erase LEARNER [--by NAME] [--yes] [--data DIR]

Erases, for good, what the registry knows of a learner: names, e-mail address
and the rest of the class list, the sealed credentials, and the marks that came
with them. The key under which all of it was encrypted is removed, and the places
in the files where it lay are written over.

What stays holds nothing of the person: that a credential of this module and
edition was issued and when, its status, and its entries in the log. Links and
QR codes then say that the credential was erased. Files that the person or
somebody else keeps stay valid until they are revoked: do that first, with
attesta status revoke, if they should not count any more. The same award is not
given out again.

Backups that were made before still hold the person until they are deleted. Who
restores one of them must erase again. LEARNER is the learner_id of the class
list.

  --by NAME    who does it (the account on this computer, or $ATTESTA_BY)
  --yes        do not ask
  --data DIR   folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("erase")
		data, by, sure := dataFlag(f, c), f.String("by", "", ""), f.Bool("yes", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) != 1 {
			return exitUsage, misuse("for example: attesta erase L-0001", "name one learner, by the learner_id of the class list")
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		err = erase(ctx, c, o, eraseRequest{Learner: rest[0], By: whoActs(c, *by)}, *sure)
		if errors.Is(err, registry.ErrNotFound) {
			err = &hinted{err, "the installation in " + *data + " knows nobody by this learner_id; who was erased is not known any more, and nothing of them is left in its files"}
		}
		return worked(err), err
	},
}

func erase(ctx context.Context, c *console, o operator, q eraseRequest, sure bool) error {
	who, err := o.Erase(ctx, eraseRequest{Learner: q.Learner, Only: true})
	if err != nil {
		return err
	}
	c.printf("%s, %s: %s\n", plain(q.Learner), plain(who.Name), count(who.Credentials, "credential"))
	if !sure {
		c.printf("Erase this person for good? Type yes: ")
		line, _ := bufio.NewReader(c.in).ReadString('\n') // no answer is no yes
		if strings.TrimSpace(line) != "yes" {
			return &hinted{errors.New("nothing was erased"), "answer yes, or call it with --yes"}
		}
	}
	done, err := o.Erase(ctx, q)
	if err != nil {
		return err
	}
	c.printf("erased, with %s. Backups made before today still hold the person.\n", count(done.Credentials, "credential"))
	return nil
}

// eraseRequest asks to erase a learner, or only what there is to erase.
type eraseRequest struct {
	Learner string `json:"learner"`
	By      string `json:"by,omitempty"`
	Only    bool   `json:"only,omitempty"`
}

type eraseAnswer struct {
	Name        string `json:"name"`
	Credentials int    `json:"credentials"`
}

func (l local) Erase(ctx context.Context, r eraseRequest) (eraseAnswer, error) {
	if !r.Only {
		n, err := l.registry.Erase(ctx, r.Learner, cmp.Or(r.By, "operator"), l.now())
		if err == nil {
			err = l.finishErasing(ctx)
		}
		if errors.Is(err, registry.ErrConflict) {
			err = &hinted{err, "a credential of this person waits for its seal: finish it first, by starting the server or with attesta doctor"}
		}
		return eraseAnswer{Credentials: n}, err
	}
	answer := eraseAnswer{Name: "known by reference only"}
	known, err := l.registry.Learners(ctx, []string{r.Learner})
	if err != nil {
		return answer, err
	}
	person, there := known[r.Learner]
	if there {
		answer.Name = strings.TrimSpace(person.GivenName + " " + person.FamilyName)
	}
	for before := uint64(0); ; {
		page, err := l.registry.Records(ctx, registry.Query{Learner: r.Learner, Before: before, Limit: registry.MaxLimit})
		if err != nil {
			return answer, err
		}
		if len(page) == 0 {
			break
		}
		before = page[len(page)-1].Seq
		for _, record := range page {
			if record.State != registry.Erased {
				answer.Credentials++
			}
		}
	}
	if !there && answer.Credentials == 0 {
		if err := l.finishErasing(ctx); err != nil { // perhaps of the same person
			return answer, err
		}
		return answer, fmt.Errorf("looking for learner %q: %w", r.Learner, registry.ErrNotFound)
	}
	return answer, nil
}

func (r *remote) Erase(ctx context.Context, q eraseRequest) (a eraseAnswer, err error) {
	return a, r.call(ctx, "erase", q, &a)
}
