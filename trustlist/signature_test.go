package trustlist_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"attesta/trustlist"
	"attesta/trustlist/trustlisttest"
)

var (
	issued = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	next   = issued.AddDate(0, 6, 0)
	begun  = issued.AddDate(-2, 0, 0)
	ended  = issued.AddDate(2, 0, 0)
)

// plainList is a national list with one service.
func plainList(t testing.TB) trustlisttest.List {
	t.Helper()
	ca := trustlisttest.NewAuthority(t, "CA sigilli", nil, begun, ended)
	return trustlisttest.List{
		ID: "list", Territory: "IT", Sequence: 7, Issued: issued, Next: next,
		Services: []trustlisttest.Service{{
			Provider: "Prestatore <& C.>", Name: "Seals", Identity: trustlisttest.Identity(ca.Certificate),
			States: []trustlisttest.State{{Type: trustlisttest.CAQC, Status: trustlisttest.Granted, From: begun, ForSeals: true}},
		}},
	}
}

func der(signers ...trustlisttest.Signer) [][]byte {
	var all [][]byte
	for _, s := range signers {
		all = append(all, s.Certificate.Raw)
	}
	return all
}

// J3, J12: the ways in which a list may be signed, and those in which it is not
// signed at all.
func TestRead(t *testing.T) {
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	stranger := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	strong := trustlisttest.NewRSASigner(t, "Gestore", 2048, begun, ended)
	weak := trustlisttest.NewRSASigner(t, "Gestore", 1024, begun, ended)
	old := operator.Renewed(t, begun.AddDate(-5, 0, 0), begun)
	list := plainList(t).XML()
	type options = trustlisttest.Options
	for name, c := range map[string]struct {
		signer  trustlisttest.Signer
		options options
		pinned  [][]byte
		wrong   string // "" when it is good
	}{
		"with ECDSA":                      {operator, options{}, der(operator), ""},
		"with RSA":                        {strong, options{}, der(strong), ""},
		"with RSA-PSS":                    {strong, options{PSS: true}, der(strong), ""},
		"one of several may sign":         {operator, options{}, der(stranger, strong, operator), ""},
		"by the id of the list":           {operator, options{URI: "#list"}, der(operator), ""},
		"naming the signer by SHA-1":      {operator, options{NameBySHA1: true}, der(operator), ""},
		"naming no signer":                {operator, options{Nameless: true}, der(operator), ""},
		"showing another certificate":     {operator, options{Shown: &stranger}, der(operator), ""},
		"renewed with the same key":       {operator, options{}, der(old), ""},
		"renewed, but not named":          {operator, options{Nameless: true}, der(old), "not valid when the list was issued"},
		"by somebody else":                {stranger, options{}, der(operator), "not signed by any"},
		"by nobody known":                 {operator, options{}, nil, "not signed by any"},
		"by one that is no certificate":   {operator, options{}, [][]byte{[]byte("x")}, "not signed by any"},
		"with a short key":                {weak, options{}, der(weak), "not signed by any"},
		"with one that had ended":         {old, options{}, der(old), "not valid when the list was issued"},
		"naming somebody else":            {operator, options{Named: &stranger}, der(operator, stranger), "names another certificate"},
		"with SHA-1":                      {strong, options{Method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}, der(strong), "does not count"},
		"as if it were RSA":               {operator, options{Method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"}, der(operator), "not signed by any"},
		"as a code of a shared secret":    {operator, options{Method: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"}, der(operator), "does not count"},
		"with the digest SHA-1":           {operator, options{Digest: "http://www.w3.org/2000/09/xmldsig#sha1"}, der(operator), "does not count"},
		"with another digest than named":  {operator, options{Digest: "http://www.w3.org/2001/04/xmlenc#sha512"}, der(operator), "changed after"},
		"covering a third thing":          {operator, options{Third: true}, der(operator), "covers 3 things"},
		"covering no properties":          {operator, options{Forget: true}, der(operator), "covers 1 things"},
		"covering another element":        {operator, options{URI: "#sig"}, der(operator), "neither the list nor"},
		"covering another document":       {operator, options{URI: "https://evil.example/list.xml"}, der(operator), "neither the list nor"},
		"covering by a path":              {operator, options{URI: "#xpointer(/)"}, der(operator), "neither the list nor"},
		"covering without a place":        {operator, info(` URI=""`, ""), der(operator), "neither the list nor"},
		"canonical in another way":        {operator, info("<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#", "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), der(operator), "does not count"},
		"changed by a style sheet":        {operator, info("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"), der(operator), "does not count"},
		"covering a choice of the list":   {operator, info("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2002/06/xmldsig-filter2"), der(operator), "does not count"},
		"covering it with the signature":  {operator, info(`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, ""), der(operator), "in 1 steps"},
		"covering it in the other order":  {operator, options{Info: swapped}, der(operator), "does not count"},
		"covering properties as the list": {operator, info(`Type="http://uri.etsi.org/01903#SignedProperties" `, ""), der(operator), "neither the list nor"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := trustlisttest.Sign(t, list, c.signer, c.options)
			got, err := trustlist.Read(raw, c.pinned)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || got != nil {
					t.Fatalf("%+v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Territory != "IT" || got.Sequence != 7 || !got.Issued.Equal(issued) || !got.NextUpdate.Equal(next) || got.OfLists || len(got.Services) != 1 || len(got.Digest) != 64 {
				t.Errorf("%+v", got)
			}
			if !bytes.Equal(got.Signer.RawSubjectPublicKeyInfo, c.signer.Certificate.RawSubjectPublicKeyInfo) {
				t.Errorf("signed by %s", got.Signer.Subject)
			}
		})
	}
}

// info changes the signed info before it is signed.
func info(old, replacement string) trustlisttest.Options {
	return trustlisttest.Options{Info: func(s string) string { return strings.ReplaceAll(s, old, replacement) }}
}

func swapped(s string) string {
	const enveloped, exclusive = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`
	return strings.Replace(s, enveloped+exclusive, exclusive+enveloped, 1)
}

// Whatever changes in a signed list is noticed. Each change is made to the
// signed bytes; the words are those of the refusal.
func TestAChangedListIsRefused(t *testing.T) {
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	good := string(trustlisttest.Sign(t, plainList(t).XML(), operator, trustlisttest.Options{}))
	signature := good[strings.Index(good, "<ds:Signature "):strings.Index(good, "</TrustServiceStatusList>")]
	body := strings.Replace(good, signature, "", 1)
	evil := strings.Replace(strings.Replace(body, "CA/QC", "CA/QC ", 1), ">7<", ">8<", 1)
	inner := body[strings.Index(body, "<TrustServiceStatusList"):]
	put := func(list, what string) string {
		return strings.Replace(list, "</TrustServiceStatusList>", what+"</TrustServiceStatusList>", 1)
	}
	within := func(what string) string {
		return strings.Replace(signature, "</ds:Signature>", what+"</ds:Signature>", 1)
	}
	for name, c := range map[string]struct{ list, wrong string }{
		"a status changed":                           {strings.Replace(good, "granted", "grantee", 1), "changed after"},
		"a service renamed":                          {strings.Replace(good, "Seals", "Sealz", 1), "changed after"},
		"a space added":                              {strings.Replace(good, "<SchemeTerritory>", "<SchemeTerritory> ", 1), "changed after"},
		"an attribute added":                         {strings.Replace(good, "<SchemeTerritory>", `<SchemeTerritory x="y">`, 1), "changed after"},
		"the signing time changed":                   {strings.Replace(good, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1), "changed after"},
		"the digest changed":                         {strings.Replace(good, "<ds:DigestValue>", "<ds:DigestValue>AAAA", 1), "not signed by any"},
		"no signature":                               {body, "0 signatures"},
		"the same signature twice":                   {put(good, signature), "given twice"},
		"two signatures":                             {put(good, `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`), "2 signatures"},
		"a signature in the signature":               {put(body, within(`<ds:Object><ds:Signature/></ds:Object>`)), "2 signatures"},
		"the signature deeper":                       {put(body, "<x>"+signature+"</x>"), "directly"},
		"the signed list in the signature, by id":    {put(evil, within("<ds:Object>"+inner+"</ds:Object>")), "given twice"},
		"the signed list in the signature, nameless": {put(strings.Replace(evil, ` Id="list"`, "", 1), within("<ds:Object>"+inner+"</ds:Object>")), "changed after"},
		"the signed list beside the forged":          {put(strings.Replace(evil, ` Id="list"`, "", 1), inner+signature), "changed after"},
		"the signed list in the forged":              {strings.Replace(strings.Replace(evil, ` Id="list"`, "", 1), "<SchemeInformation>", good[strings.Index(good, "<TrustServiceStatusList"):]+"<SchemeInformation>", 1), "directly"},
		"other properties first":                     {strings.Replace(good, "<xades:QualifyingProperties", `<xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#sig"><xades:SignedProperties Id="p2"/></xades:QualifyingProperties><xades:QualifyingProperties`, 1), "2 sets of properties"},
		"properties elsewhere":                       {strings.Replace(good, ` Id="props"`, ` Id="p2"`, 1), "neither the list nor"},
		"of another signature":                       {strings.Replace(good, `Target="#sig"`, `Target="#gis"`, 1), "another signature"},
		"two signed infos":                           {strings.Replace(good, "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo/>", 1), "2 elements SignedInfo"},
		"two values":                                 {strings.Replace(good, "<ds:KeyInfo>", "<ds:SignatureValue/><ds:KeyInfo>", 1), "2 elements SignatureValue"},
		"a value that is none":                       {strings.Replace(good, "<ds:SignatureValue>", "<ds:SignatureValue>!", 1), "not base64"},
		"another root":                               {strings.ReplaceAll(good, "TrustServiceStatusList", "TrustServiceList"), "not a trusted list"},
		"another namespace":                          {strings.ReplaceAll(good, "02231/v2#", "02231/v3#"), "not a trusted list"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.list == good {
				t.Fatal("nothing was changed")
			}
			if got, err := trustlist.Read([]byte(c.list), der(operator)); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	for name, list := range map[string]string{ // what may change without meaning anything
		"a comment":          put(good, "")[:strings.Index(good, "<SchemeTerritory>")] + "<!-- x -->" + good[strings.Index(good, "<SchemeTerritory>"):],
		"another quote":      strings.Replace(good, `Id="list"`, `Id='list'`, 1),
		"a byte order mark":  "\ufeff" + good,
		"other line endings": strings.ReplaceAll(good, "\n", "\r\n"),
	} {
		if _, err := trustlist.Read([]byte(list), der(operator)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A comment that cuts a text in two changes nothing of what is read.
	cut := strings.Replace(good, "<SchemeTerritory>IT", "<SchemeTerritory>I<!-- x -->T", 1)
	if got, err := trustlist.Read([]byte(cut), der(operator)); err != nil || got.Territory != "IT" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every single byte of the list is covered: a change is refused, or changes
// nothing of what is read.
func TestEveryByteCounts(t *testing.T) {
	operator := trustlisttest.NewSigner(t, "Gestore", begun, ended)
	good := trustlisttest.Sign(t, plainList(t).XML(), operator, trustlisttest.Options{})
	want, err := trustlist.Read(good, der(operator))
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		for _, change := range []byte{1, 0x20} {
			bad := bytes.Clone(good)
			bad[n] ^= change
			got, err := trustlist.Read(bad, der(operator))
			if err == nil && (got.Territory != want.Territory || got.Sequence != want.Sequence || got.Services[0].Provider != want.Services[0].Provider || !got.Services[0].Certificates[0].Equal(want.Services[0].Certificates[0])) {
				t.Fatalf("byte %d (%q): %+v", n, good[max(0, n-20):n+1], got)
			}
		}
	}
}

// F4, N5: what is not plain XML, or too much of it, is refused before anything
// is built from it.
func TestBombs(t *testing.T) {
	head := `<?xml version="1.0"?><TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#">`
	for name, c := range map[string]struct{ text, wrong string }{
		"nothing":                   {"", "empty"},
		"blanks":                    {" \n", "empty"},
		"no XML":                    {"x", "not XML"},
		"a certificate":             {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not XML"},
		"cut short":                 {head, "EOF"},
		"a document type":           {`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + head + "&b;</TrustServiceStatusList>", "document type"},
		"an outside document":       {`<!DOCTYPE x SYSTEM "file:///etc/passwd">` + head + "</TrustServiceStatusList>", "document type"},
		"an entity nobody made":     {head + "&lol;</TrustServiceStatusList>", "entity"},
		"an instruction":            {head + "<?xml-stylesheet href='x'?></TrustServiceStatusList>", "instruction"},
		"deep nesting":              {head + strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000) + "</TrustServiceStatusList>", "deeper"},
		"many elements":             {head + strings.Repeat("<a/>", 500_000) + "</TrustServiceStatusList>", "more elements"},
		"many attributes":           {head + strings.Repeat(`<a b="" c="" d=""/>`, 200_000) + "</TrustServiceStatusList>", "more elements"},
		"many prefixes":             {head + "<a " + prefixes(100) + "/></TrustServiceStatusList>", "namespaces"},
		"a long namespace":          {head + `<a xmlns:b="` + strings.Repeat("x", 1000) + `"/></TrustServiceStatusList>`, "namespaces"},
		"an attribute twice":        {head + `<a b="1" b="2"/></TrustServiceStatusList>`, "twice"},
		"an attribute by two names": {head + `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/></TrustServiceStatusList>`, "twice"},
		"an id twice":               {head + `<a Id="x"/><b ID="x"/></TrustServiceStatusList>`, "given twice"},
		"two roots":                 {head + "</TrustServiceStatusList><a/>", "two roots"},
		"another alphabet":          {`<?xml version="1.0" encoding="UTF-16"?>` + head[21:] + "</TrustServiceStatusList>", "encoding"},
		"bytes that are no text":    {head + "\xff</TrustServiceStatusList>", "UTF-8"},
		"too long":                  {head + strings.Repeat(" ", trustlist.MaxBytes) + "</TrustServiceStatusList>", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if _, err := trustlist.Read([]byte(c.text), nil); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func prefixes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`xmlns:p` + strings.Repeat("p", i) + `="u" `)
	}
	return b.String()
}

func FuzzRead(f *testing.F) {
	operator := trustlisttest.NewSigner(f, "Gestore", begun, ended)
	good := trustlisttest.Sign(f, plainList(f).XML(), operator, trustlisttest.Options{})
	want, err := trustlist.Read(good, der(operator))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(plainList(f).XML()))
	f.Add([]byte(`<!DOCTYPE a><a/>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		trustlist.Territory(raw)
		got, err := trustlist.Read(raw, der(operator))
		if err == nil && (got.Territory != want.Territory || !sameServices(got, want)) {
			t.Fatalf("%+v", got)
		}
	})
}

func sameServices(a, b *trustlist.List) bool {
	return len(a.Services) == len(b.Services) && a.Services[0].Certificates[0].Equal(b.Services[0].Certificates[0])
}
