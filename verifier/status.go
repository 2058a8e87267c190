package verifier

import (
	"context"
	"errors"
	"time"

	"attesta/credentials"
	"attesta/status"
)

// status asks the published lists that the credential points at (Bitstring
// Status List 1.0 clause 3.2, Token Status List section 8.3). A list speaks of
// now; of another day it tells only what cannot have changed since.
func (j *judgement) status(ctx context.Context, view credentials.View) {
	entries := relevant(view.Status)
	switch {
	case len(view.Status) == 0:
		j.add(CheckStatus, Skipped, "status_none")
		return
	case !j.believed():
		// Nobody asks anything on behalf of a sealer that nobody knows.
		j.add(CheckStatus, Skipped, "status_not_asked")
		return
	case len(entries) == 0:
		j.add(CheckStatus, Unknown, "status_unsupported")
		return
	case j.Fetcher == nil:
		j.add(CheckStatus, Unknown, "status_offline")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer := j.asOf(j.ask(ctx, entries))
	if j.report.Discloses() && (answer.Reason == "status_list_untrusted" || answer.Reason == "status_list_unreadable") {
		// For credentials of wallets another than the issuer may sign the list
		// (Token Status List, key resolution and trust management), with a key
		// that is found in other ways: nothing is said of the status.
		answer.Outcome = Unknown
	}
	j.add(CheckStatus, answer.Outcome, answer.Reason, "asked", stamp(j.now))
}

// standing is what lists say of a credential now.
type standing struct {
	Check
	suspends bool // they would also say whether it is suspended
}

// ask asks all lists, one after the other, and keeps the gravest answer.
func (j *judgement) ask(ctx context.Context, entries []credentials.StatusEntry) standing {
	answer := standing{Check: Check{Outcome: Pass, Reason: "status_valid"}}
	for _, e := range entries {
		s := j.look(ctx, e)
		answer.Check = graver(answer.Check, s.Check)
		answer.suspends = answer.suspends || s.suspends
	}
	return answer
}

// asOf says what the lists of now tell of the day that is asked about. Revocation
// is final: what is not revoked now was not revoked before, and what is revoked
// now will be. A suspension comes and goes, and no list says when.
func (j *judgement) asOf(s standing) Check {
	past, future := j.now.Sub(j.at) > clockSkew, j.at.Sub(j.now) > clockSkew
	withdrawn := s.Reason == "status_revoked" || s.Reason == "status_suspended"
	switch {
	case past && withdrawn:
		return Check{Outcome: Unknown, Reason: s.Reason + "_since"}
	case past && s.Outcome == Pass && s.suspends:
		return Check{Outcome: Pass, Reason: "status_not_revoked_then"}
	case past && s.Outcome == Pass:
		return Check{Outcome: Pass, Reason: "status_valid_then"}
	case future && s.Reason != "status_revoked" && s.Outcome != Unknown:
		return Check{Outcome: Unknown, Reason: "status_not_yet"}
	}
	return s.Check
}

// askTime bounds how long all lists of one credential are waited for, and
// maxEntries how many there may be.
const (
	askTime    = 4 * time.Second
	maxEntries = 4
)

// relevant are the entries of a credential, when all of them are understood.
// One that is not stands for a status that is not known.
func relevant(all []credentials.StatusEntry) []credentials.StatusEntry {
	if len(all) > maxEntries {
		return nil
	}
	for _, e := range all {
		if e.Type == credentials.TokenStatusEntry {
			continue
		}
		known := e.Type == "BitstringStatusListEntry" || e.Type == "StatusList2021Entry"
		if !known || e.Purpose != string(status.Revocation) && e.Purpose != string(status.Suspension) {
			return nil
		}
	}
	return all
}

// graver keeps the worse of two answers: failure before doubt before pass, and
// revoked before anything else.
func graver(a, b Check) Check {
	rank := func(c Check) int {
		switch {
		case c.Reason == "status_revoked":
			return 3
		case c.Outcome == Fail:
			return 2
		case c.Outcome == Unknown:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// listError is a list that was reached and does not hold.
type listError struct{ reason string }

func (e *listError) Error() string { return e.reason }

func checkOf(err error) Check {
	var list *listError
	switch {
	case errors.As(err, &list) && (list.reason == "status_stale" || list.reason == "status_list_damaged"):
		return Check{Outcome: Unknown, Reason: list.reason}
	case errors.As(err, &list):
		return Check{Outcome: Fail, Reason: list.reason}
	case errors.Is(err, ErrRefused):
		return Check{Outcome: Unknown, Reason: "status_refused"}
	}
	return Check{Outcome: Unknown, Reason: "status_unreachable"}
}

// look asks one list and reads one position.
func (j *judgement) look(ctx context.Context, e credentials.StatusEntry) standing {
	value, suspends, err := j.valueOf(ctx, e)
	s := standing{suspends: suspends}
	switch {
	case err != nil:
		s.Check = checkOf(err)
	case value == status.Valid:
		s.Check = Check{Outcome: Pass, Reason: "status_valid"}
	case value == status.Revoked:
		s.Check = Check{Outcome: Fail, Reason: "status_revoked"}
	case value == status.Suspended:
		s.Check = Check{Outcome: Fail, Reason: "status_suspended"}
	default: // of the application's own: nobody here knows what it means
		s.Check = Check{Outcome: Unknown, Reason: "status_unsupported"}
	}
	return s
}

func (j *judgement) valueOf(ctx context.Context, e credentials.StatusEntry) (value status.Value, suspends bool, err error) {
	index, err := status.ParseIndex(e.Index)
	if err != nil {
		return value, false, &listError{"status_index"}
	}
	origins := j.vouch.Anchor.Origins
	token, err := j.Fetcher.Fetch(ctx, e.List, origins)
	if err != nil {
		return value, false, err
	}
	lists, err := j.lists(token, e)
	if err != nil {
		return value, false, err
	}
	if keeper, ok := j.Fetcher.(Keeper); ok {
		keeper.Keep(e.List, origins, token, lists[0].fresh, lists[0].until)
	}
	for _, l := range lists {
		found, err := l.value(index)
		if err != nil {
			return value, false, &listError{"status_index"}
		}
		value, suspends = graverValue(value, found), suspends || l.suspends()
	}
	return value, suspends, nil
}

// graverValue keeps revoked before suspended before any other before valid.
func graverValue(a, b status.Value) status.Value {
	for _, v := range []status.Value{status.Revoked, status.Suspended} {
		if a == v || b == v {
			return v
		}
	}
	return max(a, b)
}

// lists holds a fetched list against what the credential points at: signed by
// the same organisation, for this address and purpose, and not stale. A newer one
// that was seen comes after it.
func (j *judgement) lists(token []byte, e credentials.StatusEntry) ([]*publishedList, error) {
	place := e.List + "\n" + e.Type + "\n" + e.Purpose + "\n" + j.signer.LegalID
	l := j.memory.again(place, token)
	var damage error
	if l == nil {
		if l, damage = readList(token, kindOf(e)); l == nil {
			return nil, damage
		}
	}
	if !j.mayList(l) {
		return nil, &listError{"status_list_untrusted"}
	}
	if damage != nil {
		return nil, damage
	}
	if l.address != e.List || l.purpose != e.Purpose || l.kind != kindOf(e) {
		return nil, &listError{"status_list_swapped"}
	}
	if j.now.After(l.until) || l.from.After(j.now.Add(clockSkew)) {
		return nil, &listError{"status_stale"}
	}
	newer, err := j.memory.take(place, l, j.now)
	if err != nil {
		return nil, err
	}
	if newer != nil && !j.now.After(newer.until) && j.mayList(newer) {
		j.named(newer.chain[0])
		return []*publishedList{l, newer}, nil
	}
	j.named(l.chain[0])
	return []*publishedList{l}, nil
}

// mayList tells whether who signed a list may speak for who sealed: the same
// organisation under the same authority, or under an anchor that is worth no
// less, with a key that counts.
func (j *judgement) mayList(l *publishedList) bool {
	seal := j.parsed.Envelope.Chain
	if !j.chains.SameHouse(seal, l.chain, j.now) && !j.chains.VouchList(j.trust, seal, j.vouch.Worth, l.chain, j.now) {
		return false
	}
	_, revoked := j.vouch.Anchor.RevokedSince(l.chain[0])
	return !revoked
}
