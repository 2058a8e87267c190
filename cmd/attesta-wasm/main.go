// Attesta in a browser: the verifier, from the same sources as everywhere else,
// with the words of the pages. Built for js/wasm by go generate ./web/offline, it
// adds one function to the page,
//
//	attesta(request) → Promise of an answer in JSON
//
// and then calls attestaReady(), where the page has it. The function asks nobody:
// the page gives it the anchors, and the status lists when it asks for them. A
// request has the members
//
//	presented  Uint8Array: what is to be judged: a credential, or a file that holds one
//	anchors    array of {name, data}: the files of a folder of anchors, and
//	accreditations  those of the lists of accredited providers in it
//	keys       Uint8Array: what the installation published at /.well-known/jwks.json,
//	           where the certificates are that compact QRs name; may be left out, then
//	           list is asked for that address of the origin
//	list       function(address) → Promise of a Uint8Array, or of null
//	made       time at which these were copied, and
//	until      time to which the lists count where they are the last ones, or ""
//	now, at    the time now, and the time that is asked about, or ""
//	origin     public address of the installation that published them
//	renews     true where others can be fetched in their place
//	language   it, en, de or fr
//
// with times in RFC 3339; the answer is that of web.Answer.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"time"
	_ "time/tzdata" // days are those of Europe/Rome; a browser has no files

	"attesta/accreditation"
	"attesta/keys"
	"attesta/presentation"
	"attesta/verifier"
	"attesta/web"
)

func main() {
	j, err := newJudge()
	if err == nil {
		err = offer(j.check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "attesta:", err)
		os.Exit(1)
	}
}

// request is what a page asks.
type request struct {
	Presented            []byte
	Anchors              []file
	Accreditations       []file
	Keys                 []byte
	Made, Until, Now, At string
	Origin, Language     string
	Renews               bool
	Fetcher              verifier.Fetcher
}

// file is a file of a folder of anchors.
type file struct {
	Name string
	Data []byte
}

// keySet is where an installation publishes its keys.
const keySet = "/.well-known/jwks.json"

// own is the name of the anchor of the installation itself.
const own = "this-installation.json"

// judge answers pages, with the words of ours.
type judge struct {
	answers *web.Answers
	zone    *time.Location
}

func newJudge() (judge, error) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return judge{}, fmt.Errorf("finding the time zone: %w", err)
	}
	answers, err := web.NewAnswers(zone)
	return judge{answers, zone}, err
}

// check judges what a page asks about. An error is that of the page: about what
// was presented there is always an answer.
func (j judge) check(ctx context.Context, q request) (web.Answer, error) {
	times := map[string]time.Time{}
	for name, text := range map[string]string{"made": q.Made, "until": q.Until, "now": q.Now, "at": q.At} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil && (text != "" || name == "now") {
			return web.Answer{}, fmt.Errorf("reading the request: %s is no time", name)
		}
		times[name] = at
	}
	trust, revoked, err := trustOf(q.Anchors)
	if err != nil {
		return web.Answer{}, err
	}
	lists, err := j.listsOf(q.Accreditations, revoked)
	if err != nil {
		return web.Answer{}, err
	}
	v := verifier.New(verifier.Config{
		Certificates: func(id string) [][]*x509.Certificate { return q.chains(ctx, id) },
		Trust:        func() keys.Trust { return trust }, Now: func() time.Time { return times["now"] }, Fetcher: q.Fetcher,
		Accreditations: func() accreditation.Lists { return lists },
	})
	whose := web.Copy{PublicURL: q.Origin, Made: times["made"], Until: times["until"], Renews: q.Renews}
	sealed, others := found(ctx, q)
	if len(others) > 0 {
		return j.answers.Unjudged(whose, q.Language, others...)
	}
	report, then, err := v.VerifyCopy(ctx, sealed, times["at"], times["made"])
	if err != nil {
		return web.Answer{}, err
	}
	return j.answers.OfCopy(whose, q.Language, report, then)
}

// found is the credential in what was presented, such as a PDF or the picture of
// a badge, or what else there is. What is of no known kind, or too large, is left
// to the verifier.
func found(ctx context.Context, q request) (sealed []byte, others []presentation.Item) {
	items := presentation.NewReader(q.Origin).Read(ctx, presentation.File{Data: q.Presented})
	switch first := items[0]; {
	case len(items) > 1:
		return nil, items
	case first.Judged() && first.Handle == "":
		return first.Sealed, nil
	case first.Problem != nil && first.Problem.Code == "large":
		return q.Presented, nil
	}
	return nil, items
}

// chains are the certificates of a key that the installation published. Where
// what it published is not there or cannot be read, nobody knows the key.
func (q request) chains(ctx context.Context, id string) [][]*x509.Certificate {
	set := q.Keys
	if len(set) == 0 && q.Fetcher != nil {
		set, _ = q.Fetcher.Fetch(ctx, q.Origin+keySet, []string{q.Origin})
	}
	found, err := keys.ChainsIn(set, id)
	if err != nil {
		return nil
	}
	return found
}

// trustOf reads anchors. What the installation revoked counts for all of them:
// keys of its own stand under the anchors of others too.
func trustOf(files []file) (trust keys.Trust, revoked []keys.RevokedKey, err error) {
	for _, f := range files {
		anchors, err := keys.ParseAnchors(path.Base(f.Name), f.Data)
		if err != nil {
			return trust, nil, errors.Join(fmt.Errorf("reading the anchor %s", f.Name), err)
		}
		if path.Base(f.Name) == own {
			for _, a := range anchors {
				revoked = append(revoked, a.Revoked...)
			}
		}
		trust.Anchors = append(trust.Anchors, anchors...)
	}
	for n := range trust.Anchors {
		trust.Anchors[n].Revoked = slices.Concat(trust.Anchors[n].Revoked, revoked)
	}
	return trust, revoked, nil
}

// listsOf reads lists of accredited providers.
func (j judge) listsOf(files []file, revoked []keys.RevokedKey) (accreditation.Lists, error) {
	var all []*accreditation.List
	for _, f := range files {
		h, err := accreditation.ReadHeld(f.Data, revoked)
		if err != nil {
			return accreditation.Lists{}, errors.Join(fmt.Errorf("reading %s", f.Name), err)
		}
		all = append(all, h.List)
	}
	return accreditation.NewLists(j.zone, all...), nil
}
