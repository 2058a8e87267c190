package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// maxListEntries bounds how large a foreign status list may unpack: 2 MiB.
const maxListEntries = 1 << 24

// status asks the published lists that the credential points at (Bitstring
// Status List 1.0 clause 3.2). The list speaks of now; of another day it tells
// only what cannot have changed since.
func (j *judgement) status(ctx context.Context, view credentials.View) {
	entries := relevant(view.Status)
	switch {
	case len(view.Status) == 0:
		j.add(CheckStatus, Skipped, "status_none")
		return
	case j.report.Find(CheckIssuer).Outcome != Pass:
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
	answer := Check{Outcome: Pass, Reason: "status_valid"}
	for _, e := range entries {
		set, err := j.look(ctx, e)
		if err != nil {
			answer = graver(answer, checkOf(err))
			continue
		}
		if set && e.Purpose == string(status.Revocation) {
			answer = graver(answer, Check{Outcome: Fail, Reason: "status_revoked"})
		} else if set {
			answer = graver(answer, Check{Outcome: Fail, Reason: "status_suspended"})
		}
	}
	if answer.Outcome == Fail && j.now.Sub(j.at) > clockSkew &&
		(answer.Reason == "status_revoked" || answer.Reason == "status_suspended") {
		answer = Check{Outcome: Unknown, Reason: answer.Reason + "_since"}
	}
	if answer.Reason != "status_revoked" && answer.Outcome != Unknown && j.at.Sub(j.now) > clockSkew {
		answer = Check{Outcome: Unknown, Reason: "status_not_yet"}
	}
	j.add(CheckStatus, answer.Outcome, answer.Reason, "asked", stamp(j.now))
}

// askTime bounds how long all lists of one credential are waited for, and
// maxEntries how many there may be.
const (
	askTime    = 10 * time.Second
	maxEntries = 4
)

// relevant are the entries of a credential, when all of them are understood.
// One that is not stands for a status that is not known.
func relevant(all []credentials.StatusEntry) []credentials.StatusEntry {
	if len(all) > maxEntries {
		return nil
	}
	for _, e := range all {
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
	case errors.As(err, &list) && list.reason == "status_stale":
		return Check{Outcome: Unknown, Reason: list.reason}
	case errors.As(err, &list):
		return Check{Outcome: Fail, Reason: list.reason}
	case errors.Is(err, ErrRefused):
		return Check{Outcome: Unknown, Reason: "status_refused"}
	}
	return Check{Outcome: Unknown, Reason: "status_unreachable"}
}

// look fetches a list, judges it and reads one position.
func (j *judgement) look(ctx context.Context, e credentials.StatusEntry) (bool, error) {
	index, err := status.ParseIndex(e.Index)
	if err != nil {
		return false, &listError{"status_index"}
	}
	token, err := j.Fetcher.Fetch(ctx, e.List, j.vouch.Anchor.Origins)
	if err != nil {
		return false, err
	}
	bits, err := j.readList(token, e)
	if err != nil {
		return false, err
	}
	set, err := bits.Get(index)
	if err != nil {
		return false, &listError{"status_index"}
	}
	return set, nil
}

// publishedList is what is read of a status list credential.
type publishedList struct {
	ID         string   `json:"id"`
	Type       []string `json:"type"`
	ValidFrom  string   `json:"validFrom"`
	ValidUntil string   `json:"validUntil"`
	Subject    struct {
		Type    string `json:"type"`
		Purpose string `json:"statusPurpose"`
		List    string `json:"encodedList"`
	} `json:"credentialSubject"`
}

// readList holds a fetched list against what the credential points at: signed
// by the same organisation, for this address and purpose, and not stale.
func (j *judgement) readList(token []byte, e credentials.StatusEntry) (*status.Bitstring, error) {
	envelope, err := credentials.ParseCompact(token, credentials.StatusListType)
	if err != nil {
		return nil, &listError{"status_list_unreadable"}
	}
	seal := j.parsed.Envelope.Chain
	if envelope.Verify() != nil || !keys.SameHouse(seal, envelope.Chain, j.now) && !j.trust.VouchList(seal, j.vouch.Worth, envelope.Chain, j.now) {
		return nil, &listError{"status_list_untrusted"}
	}
	if _, revoked := j.vouch.Anchor.RevokedSince(envelope.Leaf()); revoked {
		return nil, &listError{"status_list_untrusted"}
	}
	var l publishedList
	if err := json.Unmarshal(envelope.Payload(), &l); err != nil {
		return nil, &listError{"status_list_unreadable"}
	}
	if l.ID != e.List || l.Subject.Purpose != e.Purpose || l.Subject.Type != "BitstringStatusList" {
		return nil, &listError{"status_list_swapped"}
	}
	if err := j.fresh(l); err != nil {
		return nil, err
	}
	bits, err := status.DecodeBitstring(l.Subject.List, maxListEntries)
	if err != nil {
		return nil, fmt.Errorf("unpacking the status list: %w", err)
	}
	j.named(envelope.Leaf())
	return bits, nil
}

func (j *judgement) fresh(l publishedList) error {
	from, err := time.Parse(time.RFC3339, l.ValidFrom)
	if err != nil {
		return &listError{"status_list_unreadable"}
	}
	until, err := time.Parse(time.RFC3339, l.ValidUntil)
	if err != nil {
		return &listError{"status_list_unreadable"}
	}
	if j.now.After(until) || from.After(j.now.Add(clockSkew)) {
		return &listError{"status_stale"}
	}
	return nil
}
