package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// authorityOwner is under which name the ring keeps the key of the authority
// that this installation is.
const authorityOwner = "authority"

// accreditRequest changes the list that this installation keeps as an authority,
// or notes what was done with one of another.
type accreditRequest struct {
	Do        string                  `json:"do"` // authority, accredit, suspend, reinstate, end, rename, export, note
	ID        string                  `json:"id,omitempty"`
	Authority accreditation.Authority `json:"authority,omitzero"`
	Admission accreditation.Admission `json:"admission,omitzero"`
	LegalID   string                  `json:"legal_id,omitempty"`
	Number    string                  `json:"number,omitempty"`
	Name      string                  `json:"name,omitempty"`
	Day       credentials.Date        `json:"day,omitempty"`
	Until     credentials.Date        `json:"until,omitempty"`
	Reason    string                  `json:"reason,omitempty"`
	Valid     int                     `json:"valid,omitempty"`    // days; 0 as before, or a month
	Sequence  int                     `json:"sequence,omitempty"` // at least this number
	By        string                  `json:"by,omitempty"`
}

// accreditAnswer is the list after the change, sealed.
type accreditAnswer struct {
	List    *accreditation.List `json:"list"`
	Token   []byte              `json:"token"`
	Signers []byte              `json:"signers"` // PEM: who may seal it, for others
}

func (r *remote) Accredit(ctx context.Context, q accreditRequest) (a accreditAnswer, err error) {
	return a, r.call(ctx, "accredit", q, &a)
}

// Accredit changes the list of this installation, seals the next number of it
// and notes it in the log.
func (l local) Accredit(ctx context.Context, q accreditRequest) (accreditAnswer, error) {
	if q.Do == "note" {
		return accreditAnswer{}, l.noteAccreditation(ctx, q.LegalID, q.By, q.Reason)
	}
	var answer accreditAnswer
	err := l.changeFolderKeys(ctx, false, func(ctx context.Context) error {
		own, err := l.changedList(q)
		if err != nil {
			return err
		}
		h, err := l.sealList(own)
		if err != nil {
			return err
		}
		// Nothing of it counts before it stands in the log.
		if err := l.noteAccreditation(ctx, cmp.Or(q.LegalID, own.Authority.LegalID), q.By, wordsOf(q, own)); err != nil {
			return err
		}
		answer = accreditAnswer{h.List, h.Token, asPEM(h.Signers)}
		return h.write()
	})
	return answer, err
}

// ownList is the list that this installation keeps; fs.ErrNotExist is wrapped
// where it keeps none.
func (l local) ownList() (heldList, error) {
	h, err := readHeld(l.folder.ownList(), l.revokedKeys())
	if errors.Is(err, accreditation.ErrSigner) { // its key was revoked: the next one seals it again
		h, err = readHeld(l.folder.ownList(), nil)
	}
	return h, err
}

// changedList is the next number of the list.
func (l local) changedList(q accreditRequest) (*accreditation.List, error) {
	now := l.now().UTC().Truncate(time.Second)
	held, err := l.ownList()
	next := &accreditation.List{Providers: []accreditation.Provider{}}
	days := 31
	switch {
	case err == nil:
		*next = *held.List
		days = int(next.NextUpdate.Sub(next.Issued).Hours() / 24)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the list of this installation: %w", err)
	case q.Do != "authority":
		return nil, &hinted{
			fmt.Errorf("this installation keeps no list of accredited providers: %w", registry.ErrNotFound),
			"say first which authority it is: attesta trust authority --id URL --name NAME --legal-id ID",
		}
	}
	if err := changeList(next, q); err != nil {
		return nil, err
	}
	next.Sequence = max(next.Sequence+1, q.Sequence)
	if now.Before(next.Issued) {
		return nil, fmt.Errorf("sealing the list: the one before is of %s, later than now: set the clock of this machine", next.Issued.Format(time.RFC3339))
	}
	next.Issued, next.NextUpdate = now, now.AddDate(0, 0, cmp.Or(q.Valid, days, 1))
	return next, next.Check()
}

func changeList(next *accreditation.List, q accreditRequest) error {
	switch q.Do {
	case "authority":
		if next.ID != "" && (next.ID != cmp.Or(q.ID, next.ID) || next.Authority.LegalID != cmp.Or(q.Authority.LegalID, next.Authority.LegalID)) {
			return fmt.Errorf("changing the authority: whoever holds list %s of %s could not follow: %w", next.ID, next.Authority.LegalID, registry.ErrConflict)
		}
		next.ID = cmp.Or(q.ID, next.ID)
		next.Authority = accreditation.Authority{
			Name: cmp.Or(q.Authority.Name, next.Authority.Name), LegalID: cmp.Or(q.Authority.LegalID, next.Authority.LegalID),
			Country: cmp.Or(q.Authority.Country, next.Authority.Country),
		}
		return nil
	case "accredit":
		if len(q.Admission.LegalIDs) == 0 {
			return fmt.Errorf("accrediting: nobody is named: %w", registry.ErrInvalid)
		}
		return next.Accredit(q.Admission)
	case "suspend":
		return next.Suspend(q.LegalID, q.Number, accreditation.Suspension{From: q.Day, Until: q.Until, Reason: q.Reason})
	case "reinstate":
		return next.Reinstate(q.LegalID, q.Number, q.Day)
	case "end":
		return next.End(q.LegalID, q.Number, q.Day, q.Reason)
	case "rename":
		return next.Rename(q.LegalID, q.Name, q.Day)
	case "export":
		return nil
	}
	return fmt.Errorf("changing the list: %q is not known here: %w", q.Do, registry.ErrInvalid)
}

// sealList seals a list with the key of the authority, which is made where there
// never was one. It counts once it is written.
func (l local) sealList(next *accreditation.List) (heldList, error) {
	h := heldList{l.folder.ownList(), accreditation.Held{List: next}}
	if _, err := l.ring.EnsureAuthority(ownerOf(next.Authority), l.now()); err != nil {
		return h, fmt.Errorf("making a key for the authority: %w", err)
	}
	key, err := l.ring.Current(keys.Accreditation, authorityOwner, l.now())
	if err != nil {
		return h, fmt.Errorf("sealing the list: %w", err)
	}
	if h.Token, err = accreditation.Seal(next, key); err != nil {
		return h, err
	}
	chain := key.Chain()
	h.Signers = []*x509.Certificate{chain[len(chain)-1]} // it outlives the key
	if err := l.publishAnchor(); err != nil {
		return h, err
	}
	return h, nil
}

// ownerOf is the authority as certificates name it.
func ownerOf(a accreditation.Authority) keys.Owner {
	return keys.Owner{ID: authorityOwner, Name: a.Name, LegalID: a.LegalID, Country: a.Country}
}

func asPEM(all []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, c := range all {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return out.Bytes()
}

// noteAccreditation notes in the log what was done with a list, and by whom.
func (l local) noteAccreditation(ctx context.Context, what, by, why string) error {
	return l.registry.Note(ctx, "accreditation", what, cmp.Or(by, "operator"), clipped(why), l.now())
}

// wordsOf says a change in a line.
func wordsOf(q accreditRequest, l *accreditation.List) string {
	words := []string{q.Do, fmt.Sprintf("list no. %d of %s", l.Sequence, l.Authority.LegalID)}
	if q.Do == "accredit" {
		a := q.Admission
		words = append(words, strings.Join(a.LegalIDs, ", "), "number "+a.Number, "from "+string(a.From))
		q.Until = a.Until
	}
	for what, value := range map[string]string{"number": q.Number, "name": q.Name, "day": string(q.Day), "until": string(q.Until), "reason": cmp.Or(q.Reason, q.Admission.Reason)} {
		if value != "" {
			words = append(words, what+" "+value)
		}
	}
	slices.Sort(words[2:])
	return strings.Join(words, "; ")
}

// clipped holds what the log says to its bound.
func clipped(text string) string {
	if len(text) > registry.MaxText {
		return strings.ToValidUTF8(text[:registry.MaxText-3], "") + "…"
	}
	return text
}

// refreshPause is how often a running server looks whether a list is due.
const refreshPause = time.Hour

// refreshLater renews the list of this installation before it fades, and fetches
// those of others that were imported from an address, until the context ends.
// What cannot be fetched is said once and tried again.
func (a *app) refreshLater(ctx context.Context) {
	said := ""
	for {
		err := a.refresh(ctx)
		now := ""
		if err != nil {
			now = err.Error()
		}
		if now != said && now != "" && ctx.Err() == nil {
			a.log.Warn("renewing lists of accredited providers; this is tried again every hour", "error", err)
		}
		said = now
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshPause):
		}
	}
}

// theServer is who acts where nobody asked for it.
const theServer = "attesta"

func (a *app) refresh(ctx context.Context) error {
	var failed []error
	all, _ := heldIn(a.folder.trust()) // what cannot be used is said where it is read
	for _, h := range all {
		switch half := h.List.Issued.Add(h.List.NextUpdate.Sub(h.List.Issued) / 2); {
		case h.own() && a.now().After(half):
			_, err := local{a}.Accredit(ctx, accreditRequest{Do: "export", By: theServer})
			failed = append(failed, err)
		case isAddress(h.Source) && a.now().After(h.List.Issued.Add(refreshPause)):
			next, err := fetchHeld(ctx, h, a.now())
			if err == nil && next.List.Sequence > h.List.Sequence {
				if err = (local{a}).noteAccreditation(ctx, next.List.Authority.LegalID, theServer, importWords(next)); err == nil {
					err = next.write()
				}
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", filepath.Base(h.file), err)
			}
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
