package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/keys"
	"attesta/timestamp"
	"attesta/timestamp/timestamptest"
	"attesta/trustlist"
	"attesta/verifier"
)

// things are what an installation and those around it publish and hand out,
// each good in its place, and mixtures of two of them, each with a good
// signature of the installation itself.
type things struct {
	all       map[string][]byte
	list      string // the address of the status list of revocations
	published map[string][]byte
	operator  [][]byte // who signs the trusted list
	trust     keys.Trust
}

func gather(t *testing.T, demo runningDemo) things {
	t.Helper()
	x := things{published: map[string][]byte{}}
	credential := get(t, demo.holder+"/credential.jsonld")
	parsed, err := credentials.Parse(credential)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range parsed.View().Status {
		x.published[entry.List] = get(t, entry.List)
		if entry.Purpose == "revocation" {
			x.list = entry.List
		}
	}
	list := x.published[x.list]
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(string(list), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	payload := parsed.Envelope.Payload()
	seal, status := signersOf(t, demo, parsed)
	u := newContinent(t)
	x.operator = [][]byte{u.operators["IT"].Certificate.Raw}
	u.write()
	national, err := os.ReadFile(u.file("IT.xml"))
	if err != nil {
		t.Fatal(err)
	}
	authority := timestamptest.New(t, fixedDay)
	if x.trust, err = keys.LoadTrust(folder(demo.dir).trust()); err != nil || len(x.trust.Anchors) == 0 {
		t.Fatalf("no anchors: %v", err)
	}
	sealed := func(d []byte, s credentials.Sealer) []byte {
		file, err := credentials.EDC.Seal(d, s, fixedDay())
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	token := func(typ string, claims []byte) []byte {
		compact, err := credentials.SealCompact(typ, json.RawMessage(claims), status)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	presentation := []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"verifiableCredential":[` + string(payload) + `]}`)
	x.all = map[string][]byte{
		"a credential":            credential,
		"a status list":           list,
		"a time stamp":            authority.Token(parsed.Envelope.EncodedSignature()),
		"a trusted list":          national,
		"a list of revoked keys":  get(t, demo.base+"/keys/root.crl"),
		"the keys":                get(t, demo.base+"/.well-known/jwks.json"),
		"a DID document":          get(t, demo.base+"/.well-known/did.json"),
		"a certificate":           parsed.Envelope.Leaf().Raw,
		"a credential unsealed":   payload,
		"a status list unsigned":  claims,
		"a status list in a seal": sealed(claims, seal),
		"a status list sealed with the key of lists": sealed(claims, status),
		"a credential sealed with the key of lists":  sealed(payload, status),
		"a credential in a token":                    token(credentials.StatusListType, payload),
		"a status list in a token of no kind":        token("", claims),
		"a status list in a token of another kind":   token("JWT", claims),
		"a status list of another format":            token("statuslist+jwt", claims),
		"a credential in a token of a wallet":        token("dc+sd-jwt", payload),
		"a credential for wallets":                   []byte(walletToken(t, seal)),
		"one signed with the key of lists":           []byte(walletToken(t, status)),
		"a proof for an issuer":                      token("openid4vci-proof+jwt", []byte(`{"aud":"`+demo.base+`","iat":1795249800,"nonce":"x"}`)),
		"a key binding":                              token("kb+jwt", []byte(`{"aud":"x","nonce":"x","sd_hash":"x","iat":1795249800}`)),
		"an access token":                            token("at+jwt", []byte(`{"iss":"`+demo.base+`","sub":"x","exp":1895249800}`)),
		"a presentation in a seal":                   sealed(presentation, seal),
		"a presentation in a token":                  token("vp+jwt", presentation),
		"a presentation in a token of a list":        token(credentials.StatusListType, presentation),
		"a sealed file in a sealed file":             sealed(credential, seal),
		"a token in a seal":                          sealed([]byte(quoted(t, string(list))), seal),
	}
	return x
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// signersOf opens the ring of the demonstration and returns the key that sealed
// a credential, and its owner's key for status lists.
func signersOf(t *testing.T, demo runningDemo, parsed *credentials.Parsed) (seal, status *keys.Key) {
	t.Helper()
	ring, err := keys.Open(filepath.Join(demo.dir, "keys"), filepath.Join(demo.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range ring.All() {
		if k.Certificate().Equal(parsed.Envelope.Leaf()) {
			seal = k
		}
	}
	if seal == nil {
		t.Fatal("the key of the seal is not in the ring")
	}
	if status, err = ring.Current(keys.Status, seal.Owner, fixedDay()); err != nil {
		t.Fatal(err)
	}
	return seal, status
}

// J10: what is good in one place is nothing in another. Every reader is shown
// everything, and takes its own kind.
func testNothingIsTakenForSomethingElse(t *testing.T, demo runningDemo) {
	x := gather(t, demo)
	credential := x.all["a credential"]
	judge := func(data []byte, lists map[string][]byte) verifier.Report {
		v := verifier.New(verifier.Config{Trust: func() keys.Trust { return x.trust }, Now: fixedDay, Fetcher: published(lists)})
		r, err := v.Verify(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	readers := map[string]func([]byte) bool{
		"credentials.Parse": func(data []byte) bool {
			p, err := credentials.Parse(data)
			return err == nil && p.Envelope.Verify() == nil
		},
		"credentials.ParseCompact": func(data []byte) bool {
			e, err := credentials.ParseCompact(data, credentials.StatusListType)
			return err == nil && e.Verify() == nil
		},
		"the verifier": func(data []byte) bool {
			r := judge(data, x.published)
			if (r.Verdict == verifier.Valid) != (r.Find(verifier.CheckIssuer).Outcome == verifier.Pass) {
				t.Errorf("half taken: %+v", r)
			}
			return r.Verdict == verifier.Valid
		},
		"the verifier, for a status list": func(data []byte) bool {
			lists := maps.Clone(x.published)
			lists[x.list] = data
			return judge(credential, lists).Verdict == verifier.Valid
		},
		"the page, as a file":    func(data []byte) bool { return saysValid(t, demo.employer, file("x.jsonld", data)) },
		"the page, as a text":    func(data []byte) bool { return saysValid(t, demo.employer, text(string(data))) },
		"a time stamp's":         func(data []byte) bool { _, err := timestamp.Parse(data); return err == nil },
		"a trusted list's":       func(data []byte) bool { _, err := trustlist.Read(data, x.operator); return err == nil },
		"an anchor's, in a file": func(data []byte) bool { return loads(t, "x.json", data) },
		"an anchor's, in PEM":    func(data []byte) bool { return loads(t, "x.pem", data) },
		"the trusted lists kept": func(data []byte) bool { return loads(t, keys.ListsFile, data) },
	}
	diagonal := map[string][]string{
		"credentials.Parse":               {"a credential", "a credential sealed with the key of lists"},                       // a seal: who may seal is for the verifier
		"credentials.ParseCompact":        {"a status list", "a credential in a token", "a presentation in a token of a list"}, // a token: what it says is for the verifier
		"the verifier":                    {"a credential", "a credential for wallets"},
		"the verifier, for a status list": {"a status list"},
		"the page, as a file":             {"a credential", "a credential for wallets"},
		"the page, as a text":             {"a credential", "a credential for wallets"},
		"a time stamp's":                  {"a time stamp"},
		"a trusted list's":                {"a trusted list"},
	}
	for reader, takes := range readers {
		for thing, data := range x.all {
			if got, want := takes(data), slices.Contains(diagonal[reader], thing); got != want {
				t.Errorf("%s takes %s: %v", reader, thing, got)
			}
		}
	}
}

type published map[string][]byte

func (p published) Fetch(_ context.Context, address string, _ []string) ([]byte, error) {
	if data, ok := p[address]; ok {
		return data, nil
	}
	return nil, verifier.ErrUnreachable
}

func loads(t *testing.T, name string, data []byte) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	trust, err := keys.LoadTrust(path)
	return err == nil && len(trust.Anchors) > 0
}

// saysValid tells what the page where anybody checks answers.
func saysValid(t *testing.T, address string, fields ...func(*multipart.Writer) error) bool {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range fields {
		if err := field(form); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(address, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests {
		t.Fatalf("%d %v", response.StatusCode, err)
	}
	return bytes.Contains(answer, []byte(`class="verdict valid"`))
}

// J9: what the page judges is what was sealed. A part that was changed makes the
// whole false, and what stands beside it, in the form or in the address, says
// nothing.
func testThePageJudgesWhatWasSealed(t *testing.T, demo runningDemo) {
	good := string(get(t, demo.holder+"/credential.jsonld"))
	if !saysValid(t, demo.employer, file("x.jsonld", []byte(good))) {
		t.Fatal("the control is not valid")
	}
	signature := good[strings.LastIndex(good, `"signature":"`)+len(`"signature":"`):]
	protected := good[strings.Index(good, `"protected":"`)+len(`"protected":"`):]
	for _, change := range [][2]string{
		{"Niccol", "Nicoll"},
		{`\"issued\":\"2026`, `\"issued\":\"2025`},
		{`statusListIndex\":\"`, `statusListIndex\":\"1`},
		{"/status/", "/statu5/"},
		{signature[:8], "AAAAAAAA"},
		{protected[:8], "AAAAAAAA"},
		{`"signature":"` + signature, `"signature":""}]}`},
		{`"signatures":[`, `"signatures":[{},`},
		{`{"payload":"`, `{"payload":" `},
		{`{"payload":"`, `{"payload":"{}","payload":"`},
		{`{"payload":"`, `{"Payload":"`},
		{`}]}`, `}],"verdict":"valid"}`},
		{`","signature":"`, `","header":{"alg":"none"},"signature":"`},
		{`","signature":"`, `","header":{"x5c":[]},"signature":"`},
	} {
		if !strings.Contains(good, change[0]) {
			t.Fatalf("the file has no %s", change[0])
		}
		changed := []byte(strings.Replace(good, change[0], change[1], 1))
		if saysValid(t, demo.employer, file("x.jsonld", changed)) {
			t.Errorf("with %s for %s as a file: valid", change[1], change[0])
		}
	}
	changed := strings.Replace(good, "Niccol", "Nicoll", 1)
	beside := func(name, value string) func(*multipart.Writer) error {
		return func(w *multipart.Writer) error { return w.WriteField(name, value) }
	}
	query := "?verdict=valid&status=valid&level=qualified&name=Eva&handle=" + demo.check[strings.LastIndex(demo.check, "/")+1:]
	if saysValid(t, demo.employer+query, beside("verdict", "valid"), file("x.jsonld", []byte(changed)), beside("status", "valid")) {
		t.Error("what stands beside a false file makes it valid")
	}
	if saysValid(t, demo.employer, file("good.jsonld", []byte(good)), text(changed)) || saysValid(t, demo.employer, file("x.jsonld", []byte(changed)), text(good)) {
		t.Error("of two things one was chosen")
	}
	if saysValid(t, demo.employer, file("good.jsonld", []byte(good)), file("x.jsonld", []byte(changed))) {
		t.Error("of two files the false one was passed over")
	}
	otherLanguage := regexp.MustCompile(`.*hreflang=.*`) // the one line that keeps the address
	page := func(address string) string { return otherLanguage.ReplaceAllString(string(get(t, address)), "") }
	if plain := page(demo.check); !strings.Contains(plain, `class="verdict valid"`) || page(demo.check+query+"&verdict=not_valid") != plain {
		t.Error("the page of a handle says what its address says")
	}
}
