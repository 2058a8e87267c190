package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// maxModels bounds how many models are kept ready.
const maxModels = 256

// model is what all credentials of one version of a module by one provider
// share. It is kept by the exact text of both entries, so that whatever changes
// there is read, drawn and linted anew.
type model struct {
	providerText, moduleText json.RawMessage
	planned                  func() ([]byte, error) // how every plan with this model begins, written once

	provider credentials.Provider
	module   credentials.Module
	pictures func() (map[string][]byte, error) // drawn once

	mu     sync.Mutex
	linted map[string]error // by id of the sealing key: nil when complete
}

// model returns the model of two entries.
func (i *Issuer) model(provider, module json.RawMessage) (*model, error) {
	h := sha256.New()
	h.Write(fmt.Appendf(nil, "%d ", len(provider)))
	h.Write(provider)
	h.Write(module)
	key := [sha256.Size]byte(h.Sum(nil))
	i.mu.Lock()
	defer i.mu.Unlock()
	if m, ok := i.models[key]; ok {
		return m, nil
	}
	m := &model{providerText: provider, moduleText: module, linted: map[string]error{}}
	if err := json.Unmarshal(provider, &m.provider); err != nil {
		return nil, fmt.Errorf("reading the entry of a provider: %w", err)
	}
	if err := json.Unmarshal(module, &m.module); err != nil {
		return nil, fmt.Errorf("reading the entry of a module: %w", err)
	}
	m.planned = sync.OnceValues(m.planBegins)
	m.pictures = sync.OnceValues(func() (map[string][]byte, error) { return i.draw(m.provider, m.module) })
	if len(i.models) >= maxModels {
		clear(i.models)
	}
	i.models[key] = m
	return m, nil
}

// modelOf returns the model of the newest version of a module.
func (i *Issuer) modelOf(ctx context.Context, code string) (*model, error) {
	entry, err := i.Registry.Module(ctx, code)
	if err != nil {
		return nil, err
	}
	owner, err := i.Registry.Provider(ctx, entry.Provider)
	if err != nil {
		return nil, fmt.Errorf("looking up its provider: %w", err)
	}
	return i.model(owner.Spec, entry.Spec)
}

func (i *Issuer) draw(p credentials.Provider, m credentials.Module) (map[string][]byte, error) {
	drawn := map[string][]byte{}
	for _, language := range []string{"it", "en"} {
		picture, err := i.Picture(p, m, language)
		if err != nil {
			return nil, fmt.Errorf("drawing the picture of %s in %s: %w", m.Code, language, err)
		}
		drawn[language] = picture
	}
	return drawn, nil
}

// document writes the document of an award for a record. The same award, record
// and key give the same bytes, today and after a crash.
func (i *Issuer) document(m *model, a credentials.Award, record registry.Record, key *keys.Key) (credentials.Document, error) {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return nil, err
	}
	pictures, err := m.pictures()
	if err != nil {
		return nil, err
	}
	return credentials.NewDocument(a, credentials.Issue{
		Credential: record.Credential,
		At:         record.ReservedAt.In(i.Zone),
		Signer:     signer,
		Status: credentials.StatusEntries(func(purpose status.Purpose) string {
			return i.ListURL(record.List, purpose)
		}, record.Index),
		Pictures: pictures,
	})
}

// placeholder stands for what the registry gives a record, while a document is
// linted before anything is reserved.
const placeholder = "urn:credential:00000000-0000-4000-8000-000000000000"

// lint returns the findings about the document that an award would give.
func (i *Issuer) lint(m *model, a credentials.Award, key *keys.Key, at time.Time) ([]credentials.Finding, error) {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return nil, err
	}
	draft, err := i.document(m, a, registry.Record{Credential: placeholder, List: "LINT", ReservedAt: at}, key)
	if err != nil {
		return nil, err
	}
	return credentials.Lint(draft, &signer), nil
}

// complete says why the credential of an award would not be complete, or nil.
// What comes from the module, the provider and the key is linted once; an award
// adds a name and a day, and whatever is not plainly that is linted by itself.
func (i *Issuer) complete(m *model, a credentials.Award, key *keys.Key, at time.Time) error {
	l := a.Learner
	if _, err := a.CompletedOn.Time(i.Zone); err != nil || l.FullName() == "" || l.BirthDate != "" || l.NationalID != nil || len(a.Parts)+len(a.Stacks) > 0 {
		return i.firstError(m, a, key, at)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, done := m.linted[key.ID]
	if !done {
		found = i.firstError(m, a, key, at)
		m.linted[key.ID] = found
	}
	return found
}

func (i *Issuer) firstError(m *model, a credentials.Award, key *keys.Key, at time.Time) error {
	found, err := i.lint(m, a, key, at)
	if err != nil {
		return err
	}
	if bad := credentials.Errors(found); len(bad) > 0 {
		return errors.New(bad[0].String())
	}
	return nil
}
