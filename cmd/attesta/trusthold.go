package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/verifier"
)

// holdList reads the list of an authority for a folder of anchors. It counts once
// it is written.
func holdList(ctx context.Context, c *console, d anchorFolder, source, signer string) (heldList, error) {
	var none heldList
	all, bad := heldIn(string(d))
	if len(bad) > 0 {
		return none, &hinted{errors.Join(bad...), "take it away first: attesta trust remove FILE"}
	}
	h := heldList{Held: accreditation.Held{Source: source}}
	if !isAddress(source) {
		if path, err := filepath.Abs(source); err == nil {
			h.Source = path
		}
	}
	var err error
	if signer != "" {
		raw, err := os.ReadFile(signer)
		if err != nil {
			return none, fmt.Errorf("reading the signer: %w", err)
		}
		if h.Signers, err = accreditation.Signers(raw); err != nil {
			return none, &hinted{err, "name a file with the certificate of the authority, in PEM"}
		}
	}
	if h.Token, err = tokenFrom(ctx, source); err != nil {
		return none, err
	}
	if signer == "" {
		h.Signers = knownSigners(all, h.Token, c.now())
		if h.Signers == nil {
			return none, misuse("the authority says which certificate that is, by another way than the list", "who may sign this list is not known yet, or is not who signed it: name the certificate with --signer FILE.pem")
		}
	}
	if h.List, err = accreditation.Read(h.Token, accreditation.SignersTrust(h.Signers), c.now()); err != nil {
		return none, heldHint(err)
	}
	h.file = heldName(string(d), h.List)
	for _, old := range all {
		if old.List.ID != h.List.ID {
			continue
		}
		if old.own() {
			return none, fmt.Errorf("importing the list: %s is kept in this installation itself", h.List.ID)
		}
		if err := h.List.Follows(old.List); err != nil {
			return none, heldHint(fmt.Errorf("importing the list: %w", err))
		}
		h.file = old.file
	}
	return h, nil
}

// knownSigners finds who may sign a list that is held already, if they signed this
// one of the same authority.
func knownSigners(all []heldList, token []byte, now time.Time) []*x509.Certificate {
	for _, old := range all {
		l, err := accreditation.Read(token, accreditation.SignersTrust(old.Signers), now)
		if err == nil && l.ID == old.List.ID {
			return old.Signers
		}
	}
	return nil
}

func heldHint(err error) error {
	switch {
	case errors.Is(err, accreditation.ErrSigner):
		return &hinted{err, "nothing was taken up; ask the authority, by a way you know, for the certificate that signs its list"}
	case errors.Is(err, accreditation.ErrFollows):
		return &hinted{err, "the list that is held stays; ask the authority for its newest list"}
	}
	return err
}

func isAddress(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// tokenFrom reads a sealed list from a file or an address. The address is one
// that the operator named, so that it may be inside too.
func tokenFrom(ctx context.Context, source string) ([]byte, error) {
	if !isAddress(source) {
		file, err := readFile(filepath.Clean(source))
		return file.Data, err
	}
	guarded := verifier.NewGuardedFor(verifier.Limits{
		Bytes: credentials.MaxSealedBytes, Time: listTime, Plain: true,
		Accept: accreditation.MediaType + ", application/jose, text/plain", Kinds: []string{"application/", "text/"},
	})
	var origins []string
	if u, err := url.Parse(source); err == nil {
		origins = []string{u.Scheme + "://" + u.Host}
	}
	raw, err := guarded.Fetch(ctx, source, origins)
	if err != nil {
		return nil, &hinted{fmt.Errorf("fetching %s: %w", source, err), "download the list in a browser, and name the file"}
	}
	return raw, nil
}

// fetchHeld reads a held list again from where it came. It is not written yet.
func fetchHeld(ctx context.Context, h heldList, now time.Time) (heldList, error) {
	next := h
	var err error
	if next.Token, err = tokenFrom(ctx, h.Source); err != nil {
		return next, err
	}
	if next.List, err = accreditation.Read(next.Token, accreditation.SignersTrust(h.Signers), now); err != nil {
		return next, err
	}
	return next, next.List.Follows(h.List)
}

func importWords(h heldList) string {
	return fmt.Sprintf("import; list no. %d of %s", h.List.Sequence, h.List.ID)
}

// importAccreditation imports a list and notes it where an installation is open.
func importAccreditation(ctx context.Context, c *console, d anchorFolder, data folder, noted bool, source, signer string) (int, error) {
	h, err := holdList(ctx, c, d, source, signer)
	if err != nil {
		return exitNo, err
	}
	if noted { // nothing is believed before it stands in the log
		err = noteHeld(ctx, c, data, h.List.Authority.LegalID, importWords(h))
	}
	if err == nil {
		err = h.write()
	}
	if err != nil {
		return exitNo, err
	}
	printHeld(c, h, c.now())
	return exitDone, nil
}

// noteHeld notes in the log of an installation, where there is one, what was
// done with a list.
func noteHeld(ctx context.Context, c *console, data folder, what, why string) error {
	if there, err := data.exists(); err != nil || !there {
		return err
	}
	o, err := reach(ctx, c, data)
	if err != nil {
		return fmt.Errorf("noting it in the log: %w", err)
	}
	_, err = o.Accredit(ctx, accreditRequest{Do: "note", LegalID: what, By: whoActs(c, ""), Reason: why})
	return errors.Join(err, o.Close())
}

// refreshHeld reads every list again that came from an address.
func refreshHeld(ctx context.Context, c *console, d anchorFolder, data folder, noted bool) (int, error) {
	all, bad := heldIn(string(d))
	failed := bad
	for _, h := range all {
		if !isAddress(h.Source) {
			continue
		}
		next, err := fetchHeld(ctx, h, c.now())
		if err == nil && next.List.Sequence > h.List.Sequence {
			if noted {
				err = noteHeld(ctx, c, data, next.List.Authority.LegalID, importWords(next))
			}
			if err == nil {
				err = next.write()
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", filepath.Base(h.file), err))
			next = h
		}
		printHeld(c, next, c.now())
	}
	if err := errors.Join(failed...); err != nil {
		return exitNo, heldHint(err)
	}
	return exitDone, nil
}

// heldAnswer is a held list as attesta trust list says it.
type heldAnswer struct {
	File   string              `json:"file"`
	Source string              `json:"source,omitempty"`
	State  string              `json:"state"`
	List   *accreditation.List `json:"list"`
}

func heldState(h heldList, now time.Time) string {
	switch {
	case now.After(h.List.NextUpdate):
		return "STALE: says nothing of the days after " + h.List.NextUpdate.Format(time.DateOnly)
	case h.own():
		return "kept here"
	}
	return "good"
}

func printHeld(c *console, h heldList, now time.Time) {
	l := h.List
	c.printf("%s (%s), list no. %d of %s, next %s: %s\n", plain(l.Authority.Name), plain(l.Authority.LegalID), l.Sequence,
		l.Issued.Format(time.DateOnly), l.NextUpdate.Format(time.DateOnly), heldState(h, now))
	c.printf("  %s, %s\n", plain(l.ID), filepath.Base(h.file))
	for n := range l.Providers {
		printProvider(c, &l.Providers[n])
	}
}

// printProvider says everything that a list says of a provider.
func printProvider(c *console, p *accreditation.Provider) {
	var called []string
	for _, n := range p.Names {
		name := n.Name
		if n.From != "" {
			name += " (from " + string(n.From) + ")"
		}
		called = append(called, name)
	}
	c.printf("  %s  %s\n", plain(strings.Join(p.LegalIDs, ", ")), plain(strings.Join(called, ", then ")))
	for _, a := range p.Accreditations {
		parts := []string{period(a.From, a.Until), a.Register + ", no. " + a.Number}
		for _, more := range []string{a.Limits(), a.Link, a.Reason} {
			if more != "" {
				parts = append(parts, more)
			}
		}
		c.printf("    %s\n", plain(strings.Join(parts, "  ")))
		for _, s := range a.Suspended {
			c.printf("      suspended %s\n", plain(strings.TrimSpace(period(s.From, s.Until)+"  "+s.Reason)))
		}
	}
	if len(p.SealedBy) > 0 {
		c.printf("    may be sealed by %s\n", plain(strings.Join(p.SealedBy, ", ")))
	}
}

func period(from, until credentials.Date) string {
	if until == "" {
		return string(from) + " on"
	}
	return string(from) + " to " + string(until)
}

// heldAnswers are the lists of a folder, for a person or as JSON, and what is
// wrong with others.
func heldAnswers(d anchorFolder, now time.Time) (all []heldList, answers []heldAnswer, bad []error) {
	all, bad = heldIn(string(d))
	answers = []heldAnswer{}
	for _, h := range all {
		answers = append(answers, heldAnswer{filepath.Base(h.file), h.Source, heldState(h, now), h.List})
	}
	return all, answers, bad
}

// heldNamed finds the files of lists by a name: of the file, with or without its
// ending, or of the authority.
func heldNamed(d anchorFolder, name string) []string {
	var found []string
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil
	}
	all, _ := heldIn(string(d))
	for _, e := range entries {
		if base, ok := strings.CutSuffix(e.Name(), heldEnding); ok && (e.Name() == name || base == name) {
			found = append(found, filepath.Join(string(d), e.Name()))
		}
	}
	for _, h := range all {
		if h.List.Authority.Name == name && !slices.Contains(found, h.file) {
			found = append(found, h.file)
		}
	}
	return found
}

// removeHeldList takes a list away: of its providers nothing is known then.
func removeHeldList(ctx context.Context, c *console, d anchorFolder, data folder, noted bool, file string) (int, error) {
	base := filepath.Base(file)
	if base == filepath.Base(data.ownList()) {
		return exitNo, fmt.Errorf("removing %s: others hold the list that is kept here, and its history; its entries are ended one by one", base)
	}
	what := base
	all, _ := heldIn(string(d)) // one that cannot be used is removed too
	for _, h := range all {
		if h.file == file {
			what = h.List.Authority.LegalID
		}
	}
	if noted { // nothing is taken away before it stands in the log
		if err := noteHeld(ctx, c, data, what, "remove; "+base); err != nil {
			return exitNo, err
		}
	}
	if err := os.Remove(file); err != nil {
		return exitNo, fmt.Errorf("removing %s: %w", base, err)
	}
	c.printf("%s is believed no longer\n", plain(base))
	return exitDone, nil
}

// checkHeld says which lists of accredited providers are out of date, or cannot
// be used.
func (l local) checkHeld() []diagnosis {
	var found []diagnosis
	all, bad := heldIn(l.folder.trust())
	for _, err := range bad {
		found = append(found, diagnosis{true, "A list of accredited providers cannot be used: " + err.Error() + ".", "Import it again: attesta trust import --accreditation; if it is kept here: attesta trust export FILE; to do without it: attesta trust remove FILE"})
	}
	for _, h := range all {
		if !l.now().After(h.List.NextUpdate) {
			continue
		}
		remedy := "Import the newer one: attesta trust import --accreditation"
		if h.own() {
			remedy = "Export it, and hand it out: attesta trust export FILE"
		}
		found = append(found, diagnosis{true, "The list of " + h.List.Authority.Name + " spoke until " + h.List.NextUpdate.Format(time.DateOnly) + ": who is accredited today it does not say.", remedy})
	}
	return found
}
