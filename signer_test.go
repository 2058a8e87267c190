package attesta_test

import (
	"go/ast"
	"go/printer"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// signers are all places that name something that signs, or that leads to it. A
// credential is sealed in one place and a status list signed in one; to issuing
// there is one way, from the commands of an operator, and no page leads there
// (J14). A new line here is a new way to a signature: say what guards it, or take
// it away.
var signers = []string{
	// What uses a private key: of the ring and of devices.
	"keys joseKey.sign: j.signer.Sign",
	"keys newJOSEKey: jws.NewSigner",
	"keys deviceSigner.Sign: private.Sign",
	"keys joseKey.signDigest: j.private.Sign",
	"keys Key.Sign: k.jose.sign",
	"keys Key.SignDigest: k.jose.signDigest",
	"keys Key.proves: k.jose.sign", // over words that are no signing input, when a key is attached
	"keys Ring.makeRoot: x509.CreateCertificate",
	"keys Ring.makeLeaf: x509.CreateCertificate",
	"keys Ring.Last: x509.CreateCertificate",
	"keys signRevocations: x509.CreateRevocationList",
	"keys Ring.CRL: signRevocations",
	"keys Ring.LastCRL: signRevocations",

	// The key of the audit log, of which no credential is sealed: it signs how far
	// the log has come, after that was held against what was signed before.
	"keys LogKey.Sign: ed25519.Sign",
	"auditlog SignCheckpoint: note.Sign",
	"cmd/attesta app.checkpoint: auditlog.SignCheckpoint",

	// A receipt of checks, with a key that is for nothing else.
	"keys digestSigner.Sign: s.key.signer.Sign",
	"receipt Signer.sign: s.Key.Sign",
	"receipt certify: u.sign",
	"receipt update.sign: s.sign",

	// What seals a document or a token with a key that it is given.
	"credentials edc.Seal: s.Sign",
	"credentials Series.seal: s.digest.SignDigest",
	"credentials Series.seal: s.sealer.Sign",
	"credentials signCompact: s.Sign",
	"credentials SealCompact: signCompact",
	"credentials SealStatusList: signCompact",

	// The one issuer: it seals what the registry has reserved, and signs the
	// status lists that it finds there.
	"issuer Issuer.sealGroup: series.Seal",
	"issuer Issuer.sealGroup: i.sealAlone",
	"issuer Issuer.sealAlone: credentials.EDC.Seal",
	"issuer Issuer.seal: i.sealGroup",
	"issuer Issuer.signList: credentials.SealStatusList",
	"issuer Issuer.sealBits: credentials.SealStatusList",
	"issuer Issuer.signList: i.sealBits",
	"issuer Issuer.renew: i.signList",
	"issuer LastLists.StatusList: l.sign",
	"issuer LastLists.TokenList: l.sign",
	"issuer LastLists.sign: l.issuer.signList",

	// The short form of a credential that stands in the registry, for its holder,
	// who asked for it: it says nothing that the provider has not sealed.
	"brief Seal: m.Sign",
	"brief signer.Sign: s.Sealer.Sign",
	"issuer Issuer.Brief: brief.Seal",

	// The list that an authority keeps of the providers it accredits, sealed with a
	// key for that alone, when the operator changes it and before it fades.
	"accreditation Seal: credentials.SealCompact",
	"cmd/attesta local.sealList: accreditation.Seal",

	// Who asks it to issue: the operator, in the folder or through the channel
	// that asks for its secret; the demonstration; and a start after a crash.
	"cmd/attesta declaration: o.Issue", // the command issue
	"cmd/attesta besideServer.answer: b.Issue",
	"cmd/attesta local.Issue: l.issuer.Issue",
	"cmd/attesta local.loadDemo: l.Issue",
	"cmd/attesta app.finish: a.issuer.Resume",
	"cmd/attesta app.finish: a.issuer.ResumeBefore",
	"issuer Issuer.Resume: i.ResumeBefore",
	"cmd/attesta local.checkSigning: k.Sign", // one constant word, for the operator

	// What an operator exports when an installation ends: lists for years.
	"cmd/attesta local.Export: l.issuer.LastLists",
	"cmd/attesta exporting.keyDocuments: x.ring.LastCRL",

	// What pages may set off: a list of revoked certificates, the same for
	// everybody, and one constant word that proves that the keys still sign.
	"cmd/attesta app.ready: k.Sign",
	"cmd/attesta keyDocuments.KeyDocument: d.ring.CRL",
	"cmd/attesta app.revocations: a.ring.CRL",
}

// signing are the names of what signs or leads to it, as functions, methods or
// values.
var signing = []string{
	"Sign", "sign", "SignDigest", "signDigest", "SignASN1", "SignPKCS1v15", "SignPSS", "SignMessage", "NewSigner",
	"CreateCertificate", "CreateCertificateRequest", "CreateRevocationList", "CreateCRL",
	"Seal", "SealCompact", "SealStatusList", "signCompact", "SignCheckpoint", "CRL", "sealGroup", "sealAlone", "signList", "sealBits", "LastLists", "LastCRL", "signRevocations", "Issue", "Resume", "ResumeBefore",
}

// noSigners bear such a name: a purpose of keys, the sign of a number, a description of what is
// issued, what pages say about a seal, what encrypts, and a type.
var noSigners = []string{
	"keys.Seal", "twin.S.Sign", "keys joseKey.signDigest: n.Sign", "credentials.Issue", "web Page.verdictOf: v.Seal", "web Site.holder: p.Seal", "web resultPage.fill: p.Seal",
	"registry vault.seal: with.Seal",            // encrypts
	"cmd/attesta declaration: issuer.LastLists", // the type
}

// TestSigners finds every use of what signs and holds it against the list.
func TestSigners(t *testing.T) {
	files, set := house(t)
	var found []string
	for _, f := range files {
		if f.test || f.tool() || strings.HasSuffix(f.room, "test") {
			continue
		}
		for _, d := range f.tree.Decls {
			where := f.room + " " + nameOf(d) + ": "
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					text := source(set, n)
					if slices.Contains(signing, n.Sel.Name) && !slices.Contains(noSigners, text) && !slices.Contains(noSigners, where+text) {
						found = append(found, where+text)
					}
				case *ast.CallExpr:
					if id, ok := n.Fun.(*ast.Ident); ok && slices.Contains(signing, id.Name) {
						found = append(found, where+id.Name)
					}
				}
				return true
			})
		}
	}
	want := slices.Sorted(slices.Values(signers))
	slices.Sort(found)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("ways to a signature (- that should be, + that are):\n%s", diff)
	}
}

// nameOf is the name of a function with its receiver, or the kind of another
// declaration.
func nameOf(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "declaration"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

func source(set *token.FileSet, n ast.Node) string {
	var b strings.Builder
	if err := printer.Fprint(&b, set, n); err != nil {
		return err.Error()
	}
	return b.String()
}
