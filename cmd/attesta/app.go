package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"attesta/display"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
	"attesta/wallet"
	"attesta/web"
	"attesta/web/offline"
)

// app is an opened installation with everything wired. The commands and the
// tests start this same type.
type app struct {
	folder   folder
	settings settings
	now      func() time.Time
	zone     *time.Location
	log      *slog.Logger
	registry *registry.Registry
	store    store
	ring     *keys.Ring
	issuer   *issuer.Issuer
	verifier *verifier.Verifier
	wallet   *wallet.Wallet
	stamps   timeAuthority
	behind   []netip.Prefix // networks of proxies in front of the server
	crls     *verifier.Kept // one, so that connections are used again
	master   string         // file of the master key
	backups  sync.Mutex     // one at a time
	logs     logbook
	tables   []byte        // authenticates tables of answers, for all servers alike
	lease    time.Duration // leaseTime, but in tests
	step     inStep
}

// begin makes a new installation in a folder that has none, and opens it.
func begin(ctx context.Context, c *console, f folder, s settings) (*app, error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	// Of two that begin at once, the one that makes the registry goes on.
	store, err := createStore(ctx, f, &s)
	if err != nil {
		return nil, fmt.Errorf("making the registry: %w", err)
	}
	if err := f.writeSettings(s); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return wire(ctx, c, f, s, store)
}

// open opens the installation in a folder, with its registry at another address
// than it remembers if one is given. Another process that has a registry in a
// file open gives registry.ErrInUse.
func open(ctx context.Context, c *console, f folder, address string) (*app, error) {
	there, err := f.exists()
	if err != nil {
		return nil, fmt.Errorf("looking for the data: %w", err)
	}
	if !there {
		return nil, f.errNoData()
	}
	s, err := f.readSettings()
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, c, f, &s, address)
	if err != nil {
		return nil, olderHint(f, fmt.Errorf("opening the registry: %w", err))
	}
	return wire(ctx, c, f, s, store)
}

func wire(ctx context.Context, c *console, f folder, s settings, store store) (*app, error) {
	a := &app{folder: f, settings: s, store: store, now: c.now, lease: cmp.Or(c.lease, leaseTime), master: f.master(c.getenv), log: slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	err := a.assemble(ctx, store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

func (a *app) assemble(ctx context.Context, store store) error {
	var err error
	if a.zone, err = rome(); err != nil {
		return err
	}
	if a.ring, err = keys.Open(a.folder.keys(), a.master); err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	a.ring.Now = a.now
	claims, err := a.ring.Secret("claim-links")
	if err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	people, err := a.ring.Secret("personal-data")
	if err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	if a.logs.key, err = a.ring.LogKey(); err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	tables := hmac.New(sha256.New, claims)
	_, _ = tables.Write([]byte("tables of checked credentials")) // a hash never fails
	a.tables = tables.Sum(nil)
	a.registry = registry.New(store.Backend, registry.Config{ClaimKey: claims, DataKey: people})
	if err := a.registry.Unlock(ctx, a.now()); err != nil {
		return &hinted{err, "the folder keys and the registry do not belong together: bring both from the same backup or machine"}
	}
	a.issuer = issuer.New(issuer.Config{
		Registry: a.registry, Keys: a.ring, Picture: display.Module,
		Now: a.now, Zone: a.zone, PublicURL: a.settings.PublicURL,
		Stamps: &a.stamps, Revocations: a.revocations, Admit: a.maySeal,
	})
	a.stamps.set(a.settings.TimeAuthority)
	a.crls = verifier.NewKept(verifier.NewGuardedFor(verifier.Limits{
		Bytes: maxRevocations, Time: 20 * time.Second, Kinds: []string{"application/"}, Accept: "application/pkix-crl", Plain: true,
	}), a.now)
	a.wallet = wallet.New(a.registry)
	trust, err := openTrustFolder(a.folder.trust(), a.log)
	if err != nil {
		return err
	}
	a.issuer.Accreditations = trust.accreditations
	a.verifier = verifier.New(verifier.Config{
		Trust:          func() keys.Trust { return a.trusted(trust.now()) },
		Now:            a.now,
		Fetcher:        &ownLists{a.issuer, verifier.NewKept(verifier.NewGuarded(), a.now)},
		Accreditations: trust.seenLists,
		Certificates:   a.ring.Chains,
	})
	return nil
}

// trusted adds this installation's own root to the anchors of the folder: on
// its own pages it vouches for what it made, and says that nobody else does.
func (a *app) trusted(t keys.Trust) keys.Trust {
	own, ok := a.ownAnchor()
	if !ok {
		return t
	}
	anchors := []keys.Anchor{own}
	for _, anchor := range t.Anchors {
		if !anchor.Certificate.Equal(own.Certificate) { // what the keys say counts, not an older copy
			anchors = append(anchors, anchor)
		}
	}
	return alsoRevoked(keys.Trust{Anchors: anchors}, own.Revoked)
}

// alsoRevoked adds the keys that an installation revoked to all anchors: those
// that were imported stand under the anchors of others.
func alsoRevoked(t keys.Trust, revoked []keys.RevokedKey) keys.Trust {
	for n := range t.Anchors {
		t.Anchors[n].Revoked = slices.Concat(t.Anchors[n].Revoked, revoked)
	}
	return t
}

func (a *app) ownAnchor() (keys.Anchor, bool) {
	for _, k := range a.ring.All() {
		if k.Purpose != keys.Root || !k.Revoked.IsZero() {
			continue
		}
		root := k.Certificate()
		return keys.Anchor{
			Name: root.Subject.CommonName, Level: keys.Demonstration, Certificate: root,
			Origins: []string{a.settings.PublicURL}, Revoked: a.revokedKeys(),
		}, true
	}
	return keys.Anchor{}, false
}

func (a *app) revokedKeys() []keys.RevokedKey {
	var all []keys.RevokedKey
	for _, k := range a.ring.All() {
		if !k.Revoked.IsZero() {
			all = append(all, keys.RevokedKey{Certificate: keys.Fingerprint(k.Certificate()), Since: k.Revoked})
		}
	}
	return all
}

// publishAnchor writes the anchor by which attesta verify knows this
// installation's demonstration seals, also without the installation.
func (a *app) publishAnchor() error {
	own, ok := a.ownAnchor()
	if !ok {
		return nil
	}
	if err := os.MkdirAll(a.folder.trust(), 0o755); err != nil { //nolint:gosec // anchors are public
		return fmt.Errorf("making the folder of anchors: %w", err)
	}
	return keys.WriteAnchor(a.folder.own(), own)
}

// Close releases the data folder and the devices with keys.
func (a *app) Close() error { return errors.Join(a.ring.Close(), a.registry.Close()) }

// anchorIsOld tells whether the anchor that was written is not what the keys
// say, as after a crash between a revocation and its writing.
func (a *app) anchorIsOld() bool {
	own, ok := a.ownAnchor()
	if !ok {
		return false
	}
	written, err := keys.LoadTrust(a.folder.own())
	if err != nil || len(written.Anchors) != 1 {
		return true
	}
	w := written.Anchors[0]
	return !w.Certificate.Equal(own.Certificate) || !slices.EqualFunc(w.Revoked, own.Revoked, func(a, b keys.RevokedKey) bool {
		return a.Certificate == b.Certificate && a.Since.Equal(b.Since)
	})
}

// erasePatience is how long a beginning command waits until what was erased can
// be removed from the files of a database.
const erasePatience = 10 * time.Second

// resume finishes what a crash, or an operator's tidying, left behind. What it
// cannot finish keeps nobody from the rest of the work: doctor says it.
func (a *app) resume(ctx context.Context) {
	if a.anchorIsOld() {
		if err := a.publishAnchor(); err != nil {
			a.log.Warn("writing the anchor of this installation", "error", err)
		}
	}
	patience := ctx
	if a.store.shared { // who reads an older picture of a database may do so for hours
		var enough context.CancelFunc
		patience, enough = context.WithTimeout(ctx, erasePatience)
		defer enough()
	}
	if err := (local{a}).finishErasing(patience); err != nil {
		a.log.Warn("what was erased is not removed from all files; this is tried again", "error", err)
	}
	if n, err := a.issuer.FinishApproved(ctx); err != nil {
		a.log.Warn("approved changes of status that were interrupted are not carried out", "error", err)
	} else if n > 0 {
		a.log.Warn("carried out approved changes of status that were interrupted", "proposals", n)
	}
	n, err := a.finish(ctx)
	if n > 0 {
		a.log.Warn("finished records that an interrupted run had reserved", "records", n)
	}
	if err != nil {
		a.log.Warn("records that an interrupted run had reserved are not finished", "error", err)
	}
}

// site makes the pages over this installation.
func (a *app) site() (*web.Site, error) {
	c := web.Config{
		Registry: a.registry, Wallet: a.wallet, Verify: a.verifier.VerifyAt, Lists: lists{a.issuer}, Keys: keyDocuments{a}, Audit: logDocuments{a}, Acts: a.issuer, Brief: a.issuer.Brief, Receipts: a.receipts,
		PublicURL: a.settings.PublicURL, Now: a.now, Zone: a.zone,
		Demonstration: a.settings.Demonstration, Log: a.log, Ready: a.ready, TableKey: a.tables, Behind: a.behind,
	}
	program, err := offline.Files()
	if err == nil {
		c.Program, c.Copy = program, (&deviceCopy{local: local{a}}).get
	} else if !errors.Is(err, offline.ErrNotBuilt) {
		return nil, err
	}
	if a.store.shared { // one process needs no other count than its own
		c.Count = func(ctx context.Context, door, who string, length time.Duration, most int) (int, error) {
			return a.registry.Count(ctx, door, who, length, most, a.now())
		}
	}
	return web.New(c)
}

// ready proves that the store answers and takes changes, that it was not set
// back, and that the keys are those that all servers have and still sign.
func (a *app) ready(ctx context.Context) error {
	if err := a.failure(); err != nil {
		return err
	}
	if _, err := a.registry.Counts(ctx, ""); err != nil {
		return err
	}
	if err := a.maySeal(ctx); err != nil {
		return err
	}
	for _, k := range a.ring.All() {
		if k.Purpose == keys.Seal && k.MaySign(a.now()) == nil {
			_, err := k.Sign([]byte("ready"))
			return err
		}
	}
	return nil
}

// failing is a store in which a disk can fail.
type failing interface {
	Failed() <-chan struct{}
	Failure() error
}

// failed is closed when the disk failed under the registry. After that nothing
// is acknowledged any more, and the program ends.
func (a *app) failed() <-chan struct{} {
	if s, ok := a.store.Backend.(failing); ok {
		return s.Failed()
	}
	return nil
}

// failure says why the registry takes no more changes, or nothing.
func (a *app) failure() error {
	s, ok := a.store.Backend.(failing)
	if !ok || s.Failure() == nil {
		return nil
	}
	return &hinted{fmt.Errorf("the registry takes no more changes: %w", s.Failure()), "look after the disk, start again, and repeat what was not acknowledged: nothing is done twice"}
}

// lists hands the issuer's status lists to the pages.
type lists struct{ issuer *issuer.Issuer }

func (l lists) StatusList(ctx context.Context, list string, p status.Purpose) (web.Published, error) {
	return onPages(l.issuer.StatusList(ctx, list, p))
}

func (l lists) TokenList(ctx context.Context, list string) (web.Published, error) {
	return onPages(l.issuer.TokenList(ctx, list))
}

func (l lists) Aggregation(ctx context.Context) (web.Published, error) {
	return onPages(l.issuer.Aggregation(ctx))
}

func onPages(p issuer.Published, err error) (web.Published, error) {
	return web.Published{Token: p.Token, MediaType: p.MediaType, ETag: p.ETag, MaxAge: p.MaxAge}, err
}
