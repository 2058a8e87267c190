package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"attesta/auditlog"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
	"attesta/web"
	"attesta/web/offline"
)

// exporting writes an export, file by file.
type exporting struct {
	local
	write    func(name string, data []byte) error
	manifest manifest
	last     *issuer.LastLists // nil unless the lists are the last ones
}

// Export writes a tar of all that this installation publishes, and of a page
// that checks with it. It holds nothing that is not public already.
func (l local) Export(ctx context.Context, q exportRequest, w io.Writer) error {
	out := tar.NewWriter(w)
	x := l.exporting()
	x.write, x.manifest.Until = x.into(out), q.Until.UTC().Truncate(time.Second)
	if !q.Until.IsZero() {
		x.last = l.issuer.LastLists(x.manifest.Until)
	}
	// One line for each kind of thing that is published. What can be refused
	// comes first, and the log last: it says what was done.
	for _, part := range []func(context.Context) error{
		x.statusLists, x.keyHistory, x.anchors, x.accreditations, x.pages, x.servers, x.auditLog,
	} {
		if err := part(ctx); err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
	}
	raw, err := json.MarshalIndent(x.manifest, "", " ")
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	return errors.Join(x.write(manifestName, append(raw, '\n')), out.Close())
}

// exporting begins an export, of this moment.
func (l local) exporting() *exporting {
	return &exporting{local: l, manifest: manifest{
		Format: manifestFormat, PublicURL: l.settings.PublicURL, Anchors: []string{}, Accreditations: []string{}, Files: []manifestFile{},
		Made: l.now().UTC().Truncate(time.Second),
	}}
}

// add writes a file at the path that it has at the public address.
func (x *exporting) add(name, kind string, data []byte) error {
	return x.addAt("/"+name, name, kind, data)
}

// addAt writes a file that stands for another path than its own.
func (x *exporting) addAt(address, name, kind string, data []byte) error {
	sum := sha256.Sum256(data)
	x.manifest.Files = append(x.manifest.Files, manifestFile{address, name, kind, len(data), hex.EncodeToString(sum[:])})
	return x.write(name, data)
}

// into writes files into an archive.
func (x *exporting) into(out *tar.Writer) func(string, []byte) error {
	return func(name string, data []byte) error {
		head := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: x.manifest.Made, Format: tar.FormatPAX}
		if err := out.WriteHeader(head); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if _, err := out.Write(data); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		return nil
	}
}

// listSigner signs the forms of a list: for today, or for years.
type listSigner interface {
	StatusList(ctx context.Context, list string, p status.Purpose) (issuer.Published, error)
	TokenList(ctx context.Context, list string) (issuer.Published, error)
}

// statusLists writes every list that a credential may point at, in each form. The
// token list, whose address is the folder of the others, stands in a file of that
// folder.
func (x *exporting) statusLists(ctx context.Context) error {
	var signer listSigner = x.issuer
	if x.last != nil {
		signer = x.last
	}
	for after, more := "", true; more; {
		lists, err := x.registry.Lists(ctx, after, registry.MaxLimit)
		if err != nil {
			return err
		}
		for _, l := range lists {
			if err := x.statusList(ctx, signer, l.ID); err != nil {
				return err
			}
			after = l.ID
		}
		more = len(lists) > 0
	}
	aggregation, err := x.issuer.Aggregation(ctx)
	if err != nil {
		return err
	}
	return x.add("status/aggregation", aggregation.MediaType, aggregation.Token)
}

func (x *exporting) statusList(ctx context.Context, signer listSigner, list string) error {
	token, err := signer.TokenList(ctx, list)
	if err != nil {
		return err
	}
	if err := x.addAt("/status/"+list, "status/"+list+"/index.jwt", token.MediaType, token.Token); err != nil {
		return err
	}
	for _, purpose := range []status.Purpose{status.Revocation, status.Suspension} {
		published, err := signer.StatusList(ctx, list, purpose)
		if err != nil {
			return err
		}
		if err := x.add("status/"+list+"/"+string(purpose), published.MediaType, published.Token); err != nil {
			return err
		}
	}
	return nil
}

// pastKey is a key in keys/history.json.
type pastKey struct {
	ID        string       `json:"id"`
	Purpose   keys.Purpose `json:"purpose"`
	Owner     string       `json:"owner,omitempty"` // provider id
	Name      string       `json:"name"`
	Level     keys.Level   `json:"level"`
	Algorithm string       `json:"algorithm"`
	From      time.Time    `json:"from"`
	Until     time.Time    `json:"until"`
	Retired   time.Time    `json:"retired,omitzero"`
	Revoked   time.Time    `json:"revoked,omitzero"` // since when it no longer counts
	Last      bool         `json:"last,omitempty"`   // signed the last lists, and nobody has it
	Chain     string       `json:"chain"`            // file of the certificates, its own first
}

// keyHistory writes every key that there ever was, with its certificates, and the
// documents about those that count.
func (x *exporting) keyHistory(context.Context) error {
	all, last := x.ring.All(), []*keys.Key(nil)
	if x.last != nil {
		last = x.last.Keys()
	}
	history := struct {
		Made time.Time `json:"made"`
		Keys []pastKey `json:"keys"`
	}{x.manifest.Made, []pastKey{}}
	for n, k := range slices.Concat(all, last) {
		level := keys.Advanced
		if k.SelfMade {
			level = keys.Demonstration
		}
		past := pastKey{
			ID: k.ID, Purpose: k.Purpose, Owner: k.Owner, Name: nameOf(k.Certificate()), Level: level, Algorithm: k.Algorithm(),
			From: k.From, Until: k.Certificate().NotAfter, Retired: k.Retired, Revoked: k.Revoked,
			Last: n >= len(all), Chain: "keys/" + k.ID + ".pem",
		}
		var chain bytes.Buffer
		for _, c := range k.Chain() {
			chain.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
		}
		if err := x.add(past.Chain, "application/x-pem-file", chain.Bytes()); err != nil {
			return err
		}
		history.Keys = append(history.Keys, past)
	}
	raw, err := json.MarshalIndent(history, "", " ")
	if err != nil {
		return err
	}
	if err := x.add("keys/history.json", "application/json", append(raw, '\n')); err != nil {
		return err
	}
	return x.keyDocuments()
}

func (x *exporting) keyDocuments() error {
	for _, name := range []string{".well-known/jwks.json", ".well-known/did.json", ".well-known/jwt-vc-issuer", "keys/root.crl"} {
		published, err := keyDocuments{x.app}.KeyDocument(path.Base(name))
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err == nil && x.last != nil && path.Base(name) == "root.crl" {
			published.Token, err = x.ring.LastCRL(x.manifest.Made, x.manifest.Until)
		}
		if err != nil {
			return err
		}
		if err := x.add(name, published.MediaType, published.Token); err != nil {
			return err
		}
	}
	return nil
}

// anchors writes whom this installation trusts, itself first. Which addresses
// inside its own network it may ask is nobody's business.
func (x *exporting) anchors(context.Context) error {
	add := func(name string, data []byte) error {
		x.manifest.Anchors = append(x.manifest.Anchors, name)
		return x.add(name, "application/json", data)
	}
	here := anchorFolder(x.folder.trust())
	own := filepath.Base(x.folder.own())
	if a, ok := x.ownAnchor(); ok {
		raw, err := a.File()
		if err != nil {
			return err
		}
		if err := add("trust/"+own, raw); err != nil {
			return err
		}
	}
	read, err := here.own()
	if err != nil {
		return err
	}
	for _, f := range read {
		base := filepath.Base(f.file)
		for n, a := range f.anchors {
			if base == own {
				continue
			}
			a.Origins, a.Revoked = nil, slices.Concat(a.Revoked, x.revokedKeys())
			raw, err := a.File()
			if err != nil {
				return err
			}
			name := "trust/" + base[:len(base)-len(filepath.Ext(base))]
			if len(f.anchors) > 1 {
				name += "-" + strconv.Itoa(n+1)
			}
			if err := add(name+".json", raw); err != nil {
				return err
			}
		}
	}
	return x.trustedLists(here, add)
}

// accreditations writes the lists of accredited providers that are held here.
// Where they came from is nobody's business.
func (x *exporting) accreditations(context.Context) error {
	all, bad := heldIn(x.folder.trust())
	if len(bad) > 0 {
		return &hinted{errors.Join(bad...), removeHeld}
	}
	for _, h := range all {
		h.Source = ""
		raw, err := h.File()
		if err != nil {
			return err
		}
		name := "trust/" + filepath.Base(h.file)
		x.manifest.Accreditations = append(x.manifest.Accreditations, name)
		if err := x.add(name, "application/json", raw); err != nil {
			return err
		}
	}
	return nil
}

// trustedLists writes what was read of the trusted lists of the Union, as it is.
func (x *exporting) trustedLists(here anchorFolder, add func(string, []byte) error) error {
	lists, err := keys.ReadLists(here.lists())
	if err != nil || len(lists.Anchors) == 0 {
		return err
	}
	file, err := readFile(here.lists())
	if err != nil {
		return err
	}
	return add("trust/"+keys.ListsFile, file.Data)
}

// auditLog writes the signed checkpoint, its key, and all that everybody may see
// of the entries. Last lists are an entry themselves.
func (x *exporting) auditLog(ctx context.Context) error {
	if x.last != nil {
		if err := x.registry.Note(ctx, "export", "status-lists", "operator", "last, until "+x.manifest.Until.Format(time.DateOnly), x.now()); err != nil {
			return err
		}
	}
	_, signed, err := x.checkpoint(ctx)
	if err != nil {
		return err
	}
	said, err := auditlog.Unverified(signed)
	if err != nil {
		return err
	}
	const text = "text/plain; charset=utf-8"
	documents := logDocuments{x.app}
	key, err := documents.publicKey()
	if err != nil {
		return err
	}
	if err := errors.Join(x.add("log/checkpoint", text, signed), x.add("log/key", text, key)); err != nil {
		return err
	}
	for from := uint64(1); from <= said.Size; from += web.MaxLogEntries {
		to := min(from+web.MaxLogEntries-1, said.Size)
		part, err := documents.part(ctx, web.LogEntries, from, to)
		if err != nil {
			return err
		}
		if err := x.add(fmt.Sprintf("log/entries/%d-%d", from, to), text, part); err != nil {
			return err
		}
	}
	return nil
}

// pages writes the pages of the copy, and the verifier for browsers where this
// build has it.
func (x *exporting) pages(context.Context) error {
	program, err := offline.Files()
	if err != nil && !errors.Is(err, offline.ErrNotBuilt) {
		return err
	}
	x.manifest.Verifier = err == nil
	pages, err := web.CopyPages(web.Copy{
		PublicURL: x.manifest.PublicURL, Made: x.manifest.Made, Until: x.manifest.Until, Verifier: x.manifest.Verifier,
	}, x.zone)
	if err != nil {
		return err
	}
	for name, data := range program {
		pages["assets/"+name] = data
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		kind := map[string]string{
			".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
			".svg": "image/svg+xml", ".bin": "application/octet-stream",
		}[path.Ext(name)]
		if err := x.add(name, kind, pages[name]); err != nil {
			return err
		}
	}
	return nil
}

//go:embed servers
var serverSettings embed.FS

// servers writes what web servers must be told.
func (x *exporting) servers(context.Context) error {
	for _, f := range []struct{ from, name string }{
		{"servers/apache", ".htaccess"}, {"servers/nginx.conf", "server/nginx.conf"}, {"servers/Caddyfile", "server/Caddyfile"},
	} {
		data, err := serverSettings.ReadFile(f.from)
		if err != nil {
			return err
		}
		if err := x.add(f.name, "text/plain; charset=utf-8", data); err != nil {
			return err
		}
	}
	return nil
}
