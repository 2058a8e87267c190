package main

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// accreditVerb is a word of attesta trust by which an authority keeps its list.
type accreditVerb struct {
	words      int      // with the verb itself
	takes      string   // flags, apart from --data and --by
	must       []string // of these
	defaultDay string   // the flag that means today when it is not given
}

func accreditVerbs() map[string]accreditVerb {
	return map[string]accreditVerb{
		"authority": {words: 1, takes: "id name legal-id country days"},
		"accredit":  {words: 2, takes: "name also register number link from until eqf field region sealed-by reason", must: []string{"register", "number", "from"}},
		"suspend":   {words: 2, takes: "number from until reason", defaultDay: "from"},
		"reinstate": {words: 2, takes: "number from", defaultDay: "from"},
		"end":       {words: 2, takes: "number until reason", must: []string{"until"}},
		"rename":    {words: 2, takes: "name from", must: []string{"name", "from"}},
		"export":    {words: 2, takes: "certificate days sequence"},
	}
}

// accreditFlags are the flags of all verbs.
type accreditFlags struct {
	data                            *string
	id, name, legalID, country      string
	register, number, link          string
	from, until, reason, by         string
	certificate                     string
	eqf, days, sequence             int
	also, fields, regions, sealedBy many
}

func (a *accreditFlags) set(c *console) *flag.FlagSet {
	f := flags("trust")
	a.data = dataFlag(f, c)
	for name, into := range map[string]*string{
		"id": &a.id, "name": &a.name, "legal-id": &a.legalID, "country": &a.country, "register": &a.register, "number": &a.number,
		"link": &a.link, "from": &a.from, "until": &a.until, "reason": &a.reason, "by": &a.by, "certificate": &a.certificate,
	} {
		f.StringVar(into, name, "", "")
	}
	f.IntVar(&a.eqf, "eqf", 0, "")
	f.IntVar(&a.days, "days", 0, "")
	f.IntVar(&a.sequence, "sequence", 0, "")
	for name, into := range map[string]*many{"also": &a.also, "field": &a.fields, "region": &a.regions, "sealed-by": &a.sealedBy} {
		f.Var(into, name, "")
	}
	return f
}

// accredit runs one of the verbs.
func accredit(ctx context.Context, c *console, args []string) (int, error) {
	var a accreditFlags
	f := a.set(c)
	rest, err := parse(f, args)
	if err != nil {
		return exitUsage, err
	}
	verb := accreditVerbs()[rest[0]]
	if len(rest) != verb.words {
		return exitUsage, misuse("for example: attesta trust "+accreditExample(rest[0]), "attesta trust %s takes %s", rest[0], count(verb.words-1, "name"))
	}
	if err := verb.check(f, rest[0]); err != nil {
		return exitUsage, err
	}
	q, err := a.request(c, rest)
	if err != nil {
		return exitUsage, err
	}
	o, err := reachOrBegin(ctx, c, folder(*a.data), settings{}, q.Do == "authority")
	if err != nil {
		return exitNo, err
	}
	defer o.Close()
	answer, err := o.Accredit(ctx, q)
	if err != nil {
		return exitNo, accreditHint(err)
	}
	if q.Do == "export" {
		err := exportList(c, rest[1], a.certificate, answer)
		return worked(err), err
	}
	printAccredited(c, q, answer.List)
	return exitDone, nil
}

func accreditExample(verb string) string {
	return map[string]string{
		"authority": `authority --id https://regione.example.it/accreditati --name "Regione Esempio" --legal-id VATIT-00000000000`,
		"accredit":  `accredit VATIT-00000000002 --name "Ente" --register "Albo, sezione B" --number 12 --from 2026-01-01 --until 2028-12-31`,
		"suspend":   "suspend VATIT-00000000002 --from 2026-03-14 --reason \"documenti mancanti\"",
		"reinstate": "reinstate VATIT-00000000002 --from 2026-04-01",
		"end":       "end VATIT-00000000002 --until 2026-06-30",
		"rename":    "rename VATIT-00000000002 --name \"Nuovo nome\" --from 2026-05-01",
		"export":    "export accreditati.jws",
	}[verb]
}

// check finds flags that a verb does not take, and those that it misses.
func (v accreditVerb) check(f *flag.FlagSet, name string) error {
	var wrong error
	given := map[string]bool{}
	f.Visit(func(one *flag.Flag) {
		given[one.Name] = true
		if one.Name != "data" && one.Name != "by" && !slices.Contains(strings.Fields(v.takes), one.Name) {
			wrong = misuse("for example: attesta trust "+accreditExample(name), "attesta trust %s takes no --%s", name, one.Name)
		}
	})
	for _, must := range v.must {
		if !given[must] {
			return misuse("for example: attesta trust "+accreditExample(name), "attesta trust %s needs --%s", name, must)
		}
	}
	return wrong
}

func (a *accreditFlags) request(c *console, rest []string) (accreditRequest, error) {
	for _, day := range []string{a.from, a.until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return accreditRequest{}, misuse("write it like 2026-03-14", "%q is no day", day)
		}
	}
	if a.days < 0 || a.days > 365 {
		return accreditRequest{}, misuse("1 to 365", "--days %d: a list speaks for a year at most", a.days)
	}
	q := accreditRequest{
		Do: rest[0], ID: a.id, Name: a.name, Number: a.number, Day: credentials.Date(a.from), Until: credentials.Date(a.until), Reason: a.reason, Valid: a.days, Sequence: a.sequence, By: whoActs(c, a.by),
		Authority: accreditation.Authority{Name: a.name, LegalID: a.legalID, Country: a.country},
	}
	if len(rest) > 1 {
		q.LegalID = rest[1]
	}
	if q.Day == "" && accreditVerbs()[q.Do].defaultDay != "" {
		zone, err := rome()
		if err != nil {
			return q, err
		}
		q.Day = credentials.Date(c.now().In(zone).Format(time.DateOnly))
	}
	switch q.Do {
	case "export":
		q.LegalID = ""
	case "end":
		q.Day, q.Until = q.Until, ""
	case "accredit":
		for _, r := range a.regions {
			if _, known := credentials.RegionURI(r); !known && !credentials.IsCountry(r) && len(r) != 2 {
				return q, misuse("a NUTS code such as ITC4, an ATU code such as ITA_CIM_ROM, or a country: IT", "--region %q is not in the European lists", r)
			}
		}
		q.Admission = accreditation.Admission{
			LegalIDs: append([]string{q.LegalID}, a.also...), Name: a.name, SealedBy: a.sealedBy,
			Accreditation: accreditation.Accreditation{
				Register: a.register, Number: a.number, Link: a.link, From: q.Day, Until: q.Until, Reason: a.reason,
				MaxEQF: a.eqf, Fields: a.fields, Regions: a.regions,
			},
		}
		q.Day, q.Until, q.Name, q.Number, q.Reason = "", "", "", "", ""
	}
	return q, nil
}

// accreditHint says how to mend what stands in the way.
func accreditHint(err error) error {
	switch {
	case errors.Is(err, accreditation.ErrUnknown):
		return &hinted{err, "see what is in it: attesta trust list; a provider that is new needs --name"}
	case errors.Is(err, accreditation.ErrNone):
		return &hinted{err, "see its days and numbers: attesta trust list"}
	case errors.Is(err, accreditation.ErrList), errors.Is(err, registry.ErrConflict), errors.Is(err, keys.ErrNoKey):
		return err
	}
	return staleWords(err)
}

// exportList writes the sealed list, and who may seal it, for others to import.
func exportList(c *console, file, certificate string, a accreditAnswer) error {
	if err := keys.WriteFile(file, a.Token); err != nil {
		return err
	}
	c.printf("list no. %d of %s is in %s, and speaks until %s\n", a.List.Sequence, plain(a.List.Authority.Name), file, a.List.NextUpdate.Format(time.DateOnly))
	if certificate == "" {
		return nil
	}
	if err := keys.WriteFile(certificate, a.Signers); err != nil {
		return err
	}
	all, err := accreditation.Signers(a.Signers)
	if err != nil {
		return err
	}
	c.printf("who may seal it is in %s, SHA-256 %s: tell it to others by another way than the list\n", certificate, keys.Fingerprint(all[0]))
	return nil
}

// printAccredited says how the list stands after a change.
func printAccredited(c *console, q accreditRequest, l *accreditation.List) {
	c.printf("list no. %d of %s, %s\n", l.Sequence, plain(l.Authority.Name), plain(l.ID))
	for n := range l.Providers {
		if p := &l.Providers[n]; slices.Contains(p.LegalIDs, q.LegalID) {
			printProvider(c, p)
		}
	}
	c.printf("others hold it when they have it: attesta trust export FILE\n")
}
