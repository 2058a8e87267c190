package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
)

// operator is what the commands of an operator ask of an installation. It is
// an opened data folder (local) or a running server that has the folder open
// (beside.go); a command does not know which.
type operator interface {
	Import(ctx context.Context, r importRequest) (importAnswer, error)
	Lint(ctx context.Context, module string) ([]credentials.Finding, error)
	Issue(ctx context.Context, r issueRequest) (issueAnswer, error)
	HandOut(ctx context.Context, credentials []string) ([]handedOut, error)
	SetStatus(ctx context.Context, r statusRequest, progress func(registry.Tally)) (statusAnswer, error)
	Proposals(ctx context.Context, r proposalRequest, progress func(registry.Tally)) ([]proposalAnswer, error)
	Find(ctx context.Context, q findRequest) (findAnswer, error)
	Erase(ctx context.Context, r eraseRequest) (eraseAnswer, error)
	Seals(ctx context.Context) (sealsAnswer, error)
	Extend(ctx context.Context, r extendRequest) (extendAnswer, error)
	SetTimeAuthority(ctx context.Context, address string) error
	Keys(ctx context.Context) ([]keyAnswer, error)
	ChangeKeys(ctx context.Context, r keyRequest) (keyChange, error)
	Accredit(ctx context.Context, r accreditRequest) (accreditAnswer, error)
	Log(ctx context.Context, r logRequest) (logAnswer, error)
	Doctor(ctx context.Context) ([]diagnosis, error)
	SignIn(ctx context.Context, name string) (string, error)
	Backup(ctx context.Context, r backupRequest, w io.Writer) error
	Export(ctx context.Context, r exportRequest, w io.Writer) error
	Close() error
}

type namedFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

type importRequest struct {
	Providers  []namedFile `json:"providers,omitempty"`
	Catalogues []namedFile `json:"catalogues,omitempty"`
	Learners   []namedFile `json:"learners,omitempty"`
	Replace    bool        `json:"replace,omitempty"`
}

type importAnswer struct {
	Files []importedFile `json:"files"`
}

type importedFile struct {
	Name      string              `json:"name"`
	What      string              `json:"what"` // providers, modules, learners
	Added     int                 `json:"added"`
	Unchanged int                 `json:"unchanged,omitempty"`
	Different []issuer.Difference `json:"different,omitempty"`
	Findings  []intake.Finding    `json:"findings,omitempty"`
	Follows   []string            `json:"follows,omitempty"`
}

type issueRequest struct {
	File   namedFile `json:"file"`
	Locale string    `json:"locale"`
}

type issueAnswer struct {
	Rows []rowAnswer `json:"rows"`
}

// rowAnswer is the answer to one row, as printed with --json.
type rowAnswer struct {
	Line       int                 `json:"line"`
	Row        string              `json:"row,omitempty"`
	Outcome    issuer.Answer       `json:"outcome"`
	Reason     string              `json:"reason,omitempty"`
	Words      credentials.Text    `json:"words,omitempty"`
	Findings   []findingAnswer     `json:"findings,omitempty"`
	Adjusted   []intake.Adjustment `json:"adjusted,omitempty"`
	Credential string              `json:"credential,omitempty"`
	Number     string              `json:"number,omitempty"`
	Module     string              `json:"module,omitempty"`
	Learner    string              `json:"learner,omitempty"`
	Name       string              `json:"name,omitempty"`  // with the sealed files, for whoever hands them out
	Email      string              `json:"email,omitempty"` // as above
	Status     string              `json:"status,omitempty"`
	CheckURL   string              `json:"check_url,omitempty"`
	ClaimURL   string              `json:"claim_url,omitempty"`
	File       string              `json:"file,omitempty"` // set by the command that wrote it
}

// handedOut is what whoever delivers a credential needs. Without Sealed the
// credential is not sealed yet, or was erased.
type handedOut struct {
	Sealed []byte `json:"sealed,omitempty"`
	Name   string `json:"name,omitempty"`
	Email  string `json:"email,omitempty"`
}

type findingAnswer struct {
	Column   string           `json:"column"`
	Code     string           `json:"code"`
	Severity intake.Severity  `json:"severity"`
	Value    string           `json:"value"`
	Message  credentials.Text `json:"message"`
	Remedy   credentials.Text `json:"remedy"`
}

// local answers from a data folder that this process has open.
type local struct{ *app }

// Import reads everything before it stores anything of a kind, in the order in
// which the kinds depend on each other.
func (l local) Import(ctx context.Context, r importRequest) (importAnswer, error) {
	var answer importAnswer
	done := func(f namedFile, what string, a issuer.Admission, findings []intake.Finding) {
		answer.Files = append(answer.Files, importedFile{f.Name, what, a.Added, a.Unchanged, a.Different, findings, a.Follows})
	}
	for _, f := range r.Providers {
		providers, err := intake.Providers(reader(f))
		if err != nil {
			return answer, inFile(f, err)
		}
		var a issuer.Admission
		err = l.changeFolderKeys(ctx, false, func(ctx context.Context) (err error) { // new ones are given keys
			if a, err = l.issuer.AddProviders(ctx, providers); err != nil {
				err = inFile(f, err)
			}
			return err
		})
		if err != nil {
			return answer, err
		}
		done(f, "providers", a, nil)
	}
	if err := l.publishAnchor(); err != nil {
		return answer, err
	}
	for _, f := range r.Catalogues {
		modules, err := intake.Catalogue(reader(f))
		if err != nil {
			return answer, inFile(f, err)
		}
		a, err := l.issuer.AddModules(ctx, modules)
		if err != nil {
			return answer, inFile(f, err)
		}
		done(f, "modules", a, nil)
	}
	for _, f := range r.Learners {
		learners, findings, err := intake.Learners(reader(f), intake.Options{Today: credentials.Date(l.now().In(l.zone).Format(time.DateOnly))})
		if err != nil {
			return answer, inFile(f, err)
		}
		for _, found := range findings {
			if found.Severity == intake.Error {
				done(f, "learners", issuer.Admission{}, findings)
				return answer, inFile(f, fmt.Errorf("%w: nothing of this class list was stored, because of its line %d", registry.ErrInvalid, found.Line))
			}
		}
		a, err := l.issuer.AddLearners(ctx, learners, r.Replace)
		if err != nil {
			return answer, inFile(f, err)
		}
		done(f, "learners", a, findings)
	}
	return answer, nil
}

func reader(f namedFile) *strings.Reader { return strings.NewReader(string(f.Data)) }

// inFile says in both languages what is wrong with a file that was handed in.
func inFile(f namedFile, err error) error {
	wrapped := fmt.Errorf("reading %s: %w", f.Name, err)
	faults := intake.FileErrors(err)
	if len(faults) == 0 {
		return wrapped
	}
	words := credentials.Text{}
	for language, line := range map[string]string{"it": "riga", "en": "line"} {
		var lines []string
		for _, fault := range faults {
			place := ""
			if fault.Line > 0 {
				place = fmt.Sprintf("%s %d: ", line, fault.Line)
			}
			if fault.Column != "" {
				place += fault.Column + ": "
			}
			lines = append(lines, f.Name+": "+place+fault.Message[language]+" "+fault.Remedy[language])
		}
		words[language] = strings.Join(lines, "\n")
	}
	return &spoken{wrapped, words}
}

// spoken is an error with words for the person at the console.
type spoken struct {
	error
	words credentials.Text
}

func (e *spoken) Unwrap() error { return e.error }

func (l local) Lint(ctx context.Context, module string) ([]credentials.Finding, error) {
	return l.issuer.LintModule(ctx, module)
}

func (l local) Issue(ctx context.Context, r issueRequest) (issueAnswer, error) {
	today := credentials.Date(l.now().In(l.zone).Format("2006-01-02"))
	rows, err := intake.Completions(reader(r.File), intake.Options{Locale: intake.Locale(r.Locale), Today: today})
	if err != nil {
		return issueAnswer{}, inFile(r.File, err)
	}
	outcomes, err := l.issuer.Issue(ctx, rows)
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err != nil {
		err = fmt.Errorf("stopped after %d of %d rows (%w): what is answered is stored; give the same list again for the rest", len(outcomes), len(rows), err)
	}
	err = setBackWords(staleWords(clockWords(err)))
	if len(outcomes) > 0 && !errors.Is(err, errForked) {
		l.remember(context.WithoutCancel(ctx))
	}
	answer := issueAnswer{Rows: make([]rowAnswer, 0, len(outcomes))}
	for _, o := range outcomes {
		answer.Rows = append(answer.Rows, l.rowAnswer(o))
	}
	return answer, err
}

// HandOut returns one entry for each credential. A command asks for a few at a
// time: a class is larger than what is kept in memory or sent in one answer.
func (l local) HandOut(ctx context.Context, ids []string) ([]handedOut, error) {
	out := make([]handedOut, len(ids))
	for i, id := range ids {
		r, err := l.registry.Find(ctx, registry.Key{Credential: id})
		if err != nil {
			return nil, fmt.Errorf("looking for the credential %s: %w", id, err)
		}
		if r.State != registry.Sealed {
			continue
		}
		if out[i].Sealed, err = l.registry.SealedBytes(ctx, r.Seq); err != nil {
			return nil, fmt.Errorf("reading a sealed credential: %w", err)
		}
		people, err := l.registry.Learners(ctx, []string{r.Learner})
		if err != nil {
			return nil, fmt.Errorf("reading who it is for: %w", err)
		}
		person := people[r.Learner]
		out[i].Name, out[i].Email = credentials.Learner{GivenName: person.GivenName, FamilyName: person.FamilyName}.FullName(), person.Email
	}
	return out, nil
}

func (l local) rowAnswer(o issuer.Outcome) rowAnswer {
	row := rowAnswer{Line: o.Line, Row: o.RowID, Outcome: o.Answer, Reason: o.Reason, Adjusted: o.Adjusted}
	if o.Reason != "" {
		row.Words = issuer.ReasonWords(o)
	}
	for _, f := range o.Findings {
		row.Findings = append(row.Findings, findingAnswer{f.Column, f.Code, f.Severity, f.Value, f.Message, f.Remedy})
	}
	if r := o.Record; r != nil {
		row.Credential, row.Module, row.Learner = r.Credential, r.Module, r.Learner
		row.Number = credentials.Number(r.Module, r.Credential)
		row.Status = r.Status.String()
		row.CheckURL, row.ClaimURL = l.issuer.CheckAddress(*r), l.issuer.ClaimAddress(*r)
	}
	return row
}

// find looks a record up by the credential's id, its handle or its number.
func (l local) find(ctx context.Context, id string) (registry.Record, error) {
	if strings.HasPrefix(id, "urn:") {
		return l.registry.ByCredential(ctx, id)
	}
	dash := strings.LastIndex(id, "-")
	if dash < 0 {
		return l.registry.ByHandle(ctx, id)
	}
	return l.byNumber(ctx, strings.ToUpper(id[:dash]), strings.ToUpper(id))
}

// byNumber goes through the records of the module: a number is for people, and
// nothing else looks for it.
func (l local) byNumber(ctx context.Context, module, number string) (registry.Record, error) {
	var found []registry.Record
	for before := uint64(0); ; {
		page, err := l.registry.Records(ctx, registry.Query{Module: module, Before: before, Limit: registry.MaxLimit})
		if err != nil {
			return registry.Record{}, err
		}
		for _, r := range page {
			before = r.Seq
			if credentials.Number(r.Module, r.Credential) == number {
				found = append(found, r)
			}
		}
		if len(page) > 0 {
			continue
		}
		switch len(found) {
		case 0:
			return registry.Record{}, registry.ErrNotFound
		case 1:
			return found[0], nil
		}
		return registry.Record{}, fmt.Errorf("%d credentials have this number; name one by its id: %w", len(found), registry.ErrInvalid)
	}
}

// signInLife is how long a one-time sign-in link stays good.
const signInLife = 12 * time.Hour

// SignIn makes a link for the person with a name.
func (l local) SignIn(ctx context.Context, name string) (string, error) {
	if len(name) > registry.MaxName {
		return "", fmt.Errorf("making a sign-in link: the name has %d bytes, at most %d: %w", len(name), registry.MaxName, registry.ErrInvalid)
	}
	secret, err := l.registry.Grant(ctx, "sign-in", name, signInLife, l.now())
	if err != nil {
		return "", fmt.Errorf("making a sign-in link: %w", err)
	}
	return l.settings.PublicURL + "/console/sign-in?key=" + secret, nil
}

// providers lists the entries of all providers.
func (l local) providers(ctx context.Context) ([]credentials.Provider, error) {
	var all []credentials.Provider
	for after := ""; ; {
		page, err := l.registry.Providers(ctx, after, registry.MaxLimit)
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, entry := range page {
			var p credentials.Provider
			if err := json.Unmarshal(entry.Spec, &p); err != nil {
				return nil, errors.Join(fmt.Errorf("reading the entry of provider %s", entry.ID), err)
			}
			all, after = append(all, p), entry.ID
		}
	}
}
