package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
)

var statusCommand = command{
	name: "status", short: "suspend, reinstate or revoke credentials",
	help: `usage: attesta status revoke|suspend|reinstate ID... --reason CODE
       attesta status revoke|suspend|reinstate --module CODE [--edition E] --reason CODE
       attesta status revoke|suspend|reinstate --key KEY --reason CODE
       attesta status proposals
       attesta status approve|refuse NUMBER

Changes whether credentials count. Whoever checks one sees the change through
the signed status list, at once on this installation's own pages. Revoking is
final; suspending can be lifted with reinstate. All formats of an award have one
status. Who did it, when and why stands in the log.

ID is a credential's number (SN-11-6C0F6C0E), its id (urn:credential:...), its
QR address, or the sealed file itself. A whole module, an edition of it, or all
that one key sealed is first counted, and you are asked; what is issued after
that is not meant. A large act is made in steps: after an interruption, the same
command again does the rest.

Where a provider wants four eyes (four_eyes in its entry), an act becomes a
proposal. It takes effect when somebody else approves it within 7 days. Its
author can withdraw it with refuse. This keeps one person from a mistake or a
misdeed as long as two people use two names: whoever can run this command can
give any name, and the log keeps what was given.

  --reason CODE   one of: ` + reasonLines() + `
  --module CODE   all credentials of a module
  --edition E     only those of this edition
  --key KEY       all credentials that this key sealed; see: attesta keys list
  --by NAME       who does it (the account on this computer, or $ATTESTA_BY)
  --yes           do not ask
  --json          print what was done as JSON
  --data DIR      folder of the installation (attesta-data, or $ATTESTA_DATA)

Exit code: 0 done or proposed, 1 something could not be changed, 2 called wrongly
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("status")
		var s statusFlags
		data := dataFlag(f, c)
		reason, module, edition := f.String("reason", "", ""), f.String("module", "", ""), f.String("edition", "", "")
		key, by := f.String("key", "", ""), f.String("by", "", "")
		yes, asJSON := f.Bool("yes", false, ""), f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		s = statusFlags{data: folder(*data), yes: *yes, json: *asJSON, statusRequest: statusRequest{
			Module: strings.ToUpper(*module), Edition: *edition, Key: strings.ToLower(*key), Reason: *reason, By: whoActs(c, *by),
		}}
		if len(rest) == 0 {
			return exitUsage, misuse("for example: attesta status revoke ID --reason issued-in-error", "say what to do: revoke, suspend or reinstate")
		}
		s.verb, s.rest = rest[0], rest[1:]
		switch s.verb {
		case "revoke", "suspend", "reinstate":
			return s.act(ctx, c)
		case "proposals", "approve", "refuse":
			return s.proposal(ctx, c)
		}
		return exitUsage, misuse("for example: attesta status revoke ID --reason issued-in-error", "say what to do: revoke, suspend or reinstate")
	},
}

// reasonLines are the reason codes, broken for the help.
func reasonLines() string {
	all := registry.Reasons()
	return strings.Join(all[:6], ", ") + ",\n                  " + strings.Join(all[6:], ", ")
}

// statusFlags are what one call of the command says.
type statusFlags struct {
	statusRequest
	data      folder
	verb      string
	rest      []string
	yes, json bool
}

// request checks what was said and reads the ids.
func (s *statusFlags) request() (statusRequest, error) {
	q := s.statusRequest
	q.To = map[string]string{"revoke": status.Revoked.String(), "suspend": status.Suspended.String(), "reinstate": status.Valid.String()}[s.verb]
	chosen := 0
	for _, is := range []bool{len(s.rest) > 0, q.Module != "", q.Key != ""} {
		if is {
			chosen++
		}
	}
	switch {
	case q.Edition != "" && q.Module == "":
		return q, misuse("for example: --module SN-11 --edition "+q.Edition, "say of which module the edition is")
	case chosen == 0:
		return q, misuse("for example: attesta status revoke ID --reason issued-in-error", "name a credential, or choose with --module or --key")
	case chosen > 1:
		return q, misuse("", "name credentials, or a module, or a key: one of the three")
	case !slices.Contains(registry.Reasons(), q.Reason):
		return q, misuse("one of: "+strings.Join(registry.Reasons(), ", "), "--reason %q is not a reason code", q.Reason)
	}
	for _, what := range s.rest {
		id, err := idOf(what)
		if err != nil {
			return q, err
		}
		q.IDs = append(q.IDs, id)
	}
	return q, nil
}

func (s *statusFlags) act(ctx context.Context, c *console) (int, error) {
	q, err := s.request()
	if err != nil {
		return exitUsage, err
	}
	o, err := reach(ctx, c, s.data)
	if err != nil {
		return exitNo, err
	}
	defer o.Close()
	if len(q.IDs) == 0 {
		q.Look = true
		seen, err := o.SetStatus(ctx, q, nil)
		if err != nil {
			return exitNo, s.notFound(q, err)
		}
		q.Look, q.Below = false, seen.Below
		if err := s.ask(c, q, seen); err != nil {
			return exitNo, err
		}
	}
	done, err := o.SetStatus(ctx, q, progressOn(c))
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return exitNo, s.notFound(q, err)
	case errors.Is(err, registry.ErrConflict):
		return exitNo, &hinted{err, "a revocation is final; only a suspended credential can be reinstated"}
	case err != nil:
		return exitNo, err
	}
	if s.json {
		err = printJSON(c, done)
	} else {
		s.say(c, q, done)
	}
	if done.Final+done.Unsealed+done.Unknown > 0 || err != nil {
		return exitNo, err
	}
	return exitDone, nil
}

func (s *statusFlags) notFound(q statusRequest, err error) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	hint := "give its number, its id, its QR address or the sealed file"
	switch {
	case q.Key != "":
		hint = "the keys are printed by: attesta keys list"
	case q.Module != "":
		hint = "the module or the edition has no credential, or is written differently"
	}
	return &hinted{err, "the installation in " + string(s.data) + " does not know it: " + hint}
}

// ask prints what a selection means and asks whether it is meant.
func (s *statusFlags) ask(c *console, q statusRequest, seen statusAnswer) error {
	if !s.json {
		c.printf("%s: %s\n", plain(q.what()), count(int(seen.All()), "credential"))
		c.printf("  to %s: %d%s\n", s.verb, seen.Changed, others(seen.Tally, q.To))
		if len(seen.FourEyes) > 0 {
			c.printf("  %s wants a second person: this will be a proposal\n", plain(strings.Join(seen.FourEyes, ", ")))
		}
	}
	if seen.Changed == 0 {
		return nil // and it says so when it is done
	}
	question := fmt.Sprintf("%s %s (%s)?", strings.ToUpper(s.verb[:1])+s.verb[1:], count(int(seen.Changed), "credential"), q.Reason)
	if q.To == status.Revoked.String() {
		question = strings.TrimSuffix(question, "?") + ", for good?"
	}
	if err := s.confirm(c, question); err != nil {
		if s.json {
			return errors.Join(printJSON(c, seen), err)
		}
		return err
	}
	return nil
}

// confirm asks a question of the person at the terminal, unless it was answered
// with --yes. Where nobody sits at one nothing is done.
func (s *statusFlags) confirm(c *console, question string) error {
	if s.yes {
		return nil
	}
	nothing := &hinted{errors.New("nothing was changed"), "answer yes, or call it with --yes"}
	if file, ok := c.in.(*os.File); ok {
		if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			nothing.error = fmt.Errorf("%s Nobody can answer here: nothing was changed", question)
			nothing.hint = "call it with --yes"
			return nothing
		}
	}
	fmt.Fprintf(c.err, "%s Type yes: ", question)
	line, err := readLine(c.in)
	if err != nil || line != "yes" {
		return nothing
	}
	return nil
}

func (q statusRequest) what() string {
	switch {
	case q.Key != "":
		return "sealed by key " + q.Key
	case q.Edition != "":
		return "module " + q.Module + ", edition " + q.Edition
	}
	return "module " + q.Module
}

// others says what cannot or need not be changed.
func others(t registry.Tally, to string) string {
	var b strings.Builder
	for _, x := range []struct {
		n    uint64
		text string
	}{
		{t.Already, to + " already"},
		{t.Final, "revoked, for good"},
		{t.Unsealed, "waiting for a seal"},
		{t.Unknown, "not known here"},
	} {
		if x.n > 0 {
			fmt.Fprintf(&b, "; %s: %d", x.text, x.n)
		}
	}
	return b.String()
}

// say prints what became of an act.
func (s *statusFlags) say(c *console, q statusRequest, done statusAnswer) {
	switch {
	case done.Proposal != nil:
		p := done.Proposal
		c.printf("proposal %d: %s\n", p.Number, plain(p.Text))
		c.printf("  Nothing is changed yet. Somebody else approves it until %s: attesta status approve %d --by NAME\n", p.Expires.Format("2006-01-02 15:04"), p.Number)
	case done.One != nil:
		when := "is now"
		if done.Already > 0 {
			when = "was already"
		}
		c.printf("%s %s %s (%s)\n", done.One.Number, when, done.One.Status, done.One.Reason)
	default:
		c.printf("%s: %d%s\n", map[string]string{"revoke": "revoked", "suspend": "suspended", "reinstate": "reinstated"}[s.verb], done.Changed, others(done.Tally, q.To))
	}
}

func (s *statusFlags) proposal(ctx context.Context, c *console) (int, error) {
	q := proposalRequest{By: s.By, Decision: s.verb}
	if s.verb == "proposals" {
		q.Decision = ""
	}
	switch n, err := strconv.ParseUint(strings.Join(s.rest, " "), 10, 40); {
	case q.Decision == "" && len(s.rest) > 0:
		return exitUsage, misuse("", "%q is one word too many", s.rest[0])
	case q.Decision != "" && (err != nil || n == 0):
		return exitUsage, misuse("they are printed by: attesta status proposals", "name one proposal by its number, for example: attesta status %s 3", s.verb)
	default:
		q.Number = n
	}
	o, err := reach(ctx, c, s.data)
	if err != nil {
		return exitNo, err
	}
	defer o.Close()
	open := false
	if s.verb == "approve" {
		seen, err := o.Proposals(ctx, proposalRequest{Number: q.Number}, nil)
		if err != nil {
			return exitNo, err
		}
		open = seen[0].State == "open"
		if !s.json {
			printProposals(c, seen)
		}
		if err := s.confirm(c, fmt.Sprintf("Approve proposal %d?", q.Number)); err != nil {
			return exitNo, err
		}
	}
	answer, err := o.Proposals(ctx, q, progressOn(c))
	if errors.Is(err, registry.ErrConflict) && open {
		return exitNo, &hinted{err, "another person than its author approves it, with another name: --by NAME"}
	}
	if err != nil {
		return exitNo, err
	}
	if s.json {
		return exitDone, printJSON(c, answer)
	}
	printProposals(c, answer)
	return exitDone, nil
}

func printProposals(c *console, all []proposalAnswer) {
	if len(all) == 0 {
		c.printf("there are no proposals\n")
	}
	for _, p := range all {
		c.printf("%d  %s  %s\n", p.Number, p.State, plain(p.Text))
		c.printf("   by %s on %s", plain(p.By), p.At.Format("2006-01-02 15:04"))
		switch p.State {
		case string(registry.ProposalOpen):
			c.printf("; open until %s", p.Expires.Format("2006-01-02 15:04"))
		case string(registry.ProposalDone):
			c.printf("; approved by %s on %s; changed: %d%s", plain(p.DecidedBy), p.DecidedAt.Format("2006-01-02 15:04"), p.Result.Changed, others(p.Result, p.To))
		default:
			if p.DecidedBy != "" {
				c.printf("; %s by %s on %s", p.State, plain(p.DecidedBy), p.DecidedAt.Format("2006-01-02 15:04"))
			}
		}
		c.printf("\n")
	}
}

// progressOn shows how far a long act has come, to a person at a terminal.
func progressOn(c *console) func(registry.Tally) {
	if !terminal(c.err) {
		return nil
	}
	last := time.Now()
	return func(t registry.Tally) {
		if time.Since(last) > time.Second {
			last = time.Now()
			fmt.Fprintf(c.err, "\r%d so far ", t.All())
		}
	}
}

// idOf reads the id of a credential from what a person types: the id, a QR
// address or its last part, or the name of a sealed file.
func idOf(what string) (string, error) {
	if strings.HasPrefix(what, "urn:credential:") {
		return what, nil
	}
	if at := strings.LastIndex(what, "/v/"); at >= 0 && strings.HasPrefix(what, "http") {
		return what[at+len("/v/"):], nil
	}
	if _, err := os.Stat(what); err != nil {
		return what, nil // a handle or a number
	}
	file, err := readFile(what)
	if err != nil {
		return "", err
	}
	parsed, err := credentials.Parse(file.Data)
	if err != nil {
		return "", misuse("name the sealed file, or the id of the credential", "%s is not a sealed credential: %s", what, err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		return "", fmt.Errorf("reading the id from %s: %w", what, err)
	}
	return parsed.View().ID, nil
}
