package dss_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"attesta/credentials"
	"attesta/interop/dss"
	"attesta/verifier"
)

// TestOurSeals lets the library judge what attesta seals, with every algorithm
// and a credential of every module: one signature, intact, of the level it is
// meant to have. Whatever is changed afterwards, and whoever is not trusted or
// not known to be unrevoked, must not pass (J1, J5, J12).
func TestOurSeals(t *testing.T) {
	judge := findJudge(t)
	p := newPKI(t, time.Now().Truncate(time.Second))
	signer, err := credentials.SignerOf(p.sealers["ES256"].chain[0])
	if err != nil {
		t.Fatal(err)
	}
	type question struct {
		name string
		task dss.Task
		good func(dss.Result) bool
	}
	var questions []question
	put := func(name string, task dss.Task, good func(dss.Result) bool) {
		questions = append(questions, question{name, task, good})
	}
	all := documents(t, p.now.Add(-time.Hour), signer)
	for _, alg := range slices.Sorted(maps.Keys(algorithms)) {
		for _, code := range slices.Sorted(maps.Keys(all)) {
			for _, at := range []time.Time{p.now, dss.SigTEnds().Add(-time.Second)} {
				file, err := credentials.EDC.Seal(all[code], p.sealers[alg], at)
				if err != nil {
					t.Fatal(err)
				}
				put(fmt.Sprintf("%s %s %s", alg, code, at.Format(time.DateOnly)), p.examine(file), func(r dss.Result) bool {
					return passed(r) && r.Level == "JAdES-BASELINE-B"
				})
			}
		}
		file, err := credentials.EDC.Seal(all["SN-11"], p.sealers[alg], p.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes(t, file) {
			put(alg+" changed: "+c.what, p.examine(c.file), func(r dss.Result) bool { return refused(r, c.what) })
		}
		put(alg+" another anchor", dss.Task{Kind: dss.Validate, File: file, Anchors: [][]byte{p.stranger.chain[0].Raw}, CRLs: p.crls}, because("NO_CERTIFICATE_CHAIN_FOUND"))
		put(alg+" no anchor", dss.Task{Kind: dss.Validate, File: file, CRLs: p.crls}, because("NO_CERTIFICATE_CHAIN_FOUND"))
		put(alg+" no list", dss.Task{Kind: dss.Validate, File: file, Anchors: p.anchors()}, because("CERTIFICATE_CHAIN_GENERAL_FAILURE"))
		put(alg+" revoked", dss.Task{Kind: dss.Validate, File: file, Anchors: p.anchors(), CRLs: [][]byte{p.revoking(t, p.sealers[alg])}}, because("REVOKED_NO_POE"))
		put(alg+" long after", dss.Task{Kind: dss.Validate, File: file, Anchors: p.anchors(), CRLs: p.crls, At: p.now.AddDate(4, 0, 0)}, because("OUT_OF_BOUNDS_NOT_REVOKED"))
	}
	var tasks []dss.Task
	for _, q := range questions {
		tasks = append(tasks, q.task)
	}
	var table rows
	warnings := map[string]int{}
	for n, r := range ask(t, judge, tasks) {
		table.add(questions[n].name, said(r))
		if !questions[n].good(r) {
			t.Errorf("%s: %s; intact %v, valid %v, signed by %q, errors %q", questions[n].name, said(r), r.Intact, r.Valid, r.SignedBy, r.Errors)
		}
		if passed(r) {
			for _, w := range r.Warnings {
				warnings[w]++
			}
		}
	}
	t.Log(table.text())
	// What a certificate of a real authority carries and these do not.
	delete(warnings, "BBB_XCV_AIA_PRES_ANS: The authority info access is not present!")
	delete(warnings, "BBB_XCV_REVOC_PRES_ANS: The revocation info access is not present!")
	for w, count := range warnings {
		t.Errorf("%d of our seals are good and yet: %s", count, w)
	}
}

// because returns whether a good signature was left undecided for a reason.
func because(reason string) func(dss.Result) bool {
	return func(r dss.Result) bool {
		return r.Signatures == 1 && r.Intact && r.Indication == "INDETERMINATE" && r.SubIndication == reason
	}
}

// TestTheirSeals lets the library seal credentials in all its ways and holds
// attesta's judgement against the library's own: what one takes for good the
// other does, and what was changed afterwards neither (J4, J5, J12).
func TestTheirSeals(t *testing.T) {
	judge := findJudge(t)
	p := newPKI(t, time.Now().Truncate(time.Second))
	signer, err := credentials.SignerOf(p.sealers["ES256"].chain[0])
	if err != nil {
		t.Fatal(err)
	}
	document := documents(t, p.now.Add(-time.Hour), signer)["SN-11"]
	names, tasks := p.ways(t, document)
	var files []change // the file as it was made comes first, then what was changed of it
	var examined []dss.Task
	for n, r := range ask(t, judge, tasks) {
		if r.Failure != "" {
			t.Fatalf("%s: %s", names[n], r.Failure)
		}
		if !startsWithPayload(r.File) {
			t.Errorf("%s: the file begins with %.20s", names[n], r.File)
		}
		files = append(files, change{names[n], r.File})
		from, to := member(t, r.File, "payload")
		start, _ := member(t, r.File, "signature")
		for _, c := range []change{
			{"the claimed time", otherTime(t, r.File)},
			{"payload", otherLetter(r.File, (from+to)/2, 1)},
			{"signature", otherLetter(r.File, start, 1)},
		} {
			files = append(files, change{names[n] + ", changed: " + c.what, c.file})
		}
	}
	for _, f := range files {
		examined = append(examined, p.examine(f.file))
	}
	var table rows
	for n, r := range ask(t, judge, examined) {
		report := p.attestaSays(t, files[n].file)
		theirs, ours := said(r), inWords(report)
		changed := strings.Contains(files[n].what, ", changed: ")
		if !changed {
			table.add(files[n].what, theirs, ours)
		}
		switch {
		case changed && !refused(r, files[n].what):
			t.Errorf("%s: the library says %s", files[n].what, theirs)
		case changed && report.Verdict != verifier.NotValid:
			t.Errorf("%s: attesta says %s", files[n].what, ours)
		case !changed && (!passed(r) || r.Level != "JAdES-BASELINE-"+strings.Fields(files[n].what)[1]):
			t.Errorf("%s: the library says %s, errors %q", files[n].what, theirs, r.Errors)
		case !changed && (report.Verdict != verifier.Valid || report.Baseline != r.Level):
			t.Errorf("%s: attesta says %s, %s", files[n].what, ours, report.Baseline)
		case !changed && (report.ProvenAt == nil) != (r.Level == "JAdES-BASELINE-B"):
			t.Errorf("%s: attesta takes it as proved to be there at %v", files[n].what, report.ProvenAt)
		}
	}
	t.Logf("%d files made, %d judged\n%s", len(tasks), len(files), table.text())
}

// ways are all the ways in which the library seals a document here. The second
// word of a name is the level.
func (p *pki) ways(t *testing.T, d credentials.Document) (names []string, tasks []dss.Task) {
	t.Helper()
	put := func(alg, level, name string, set func(*dss.Task)) {
		s := p.sealers[alg]
		for _, b64 := range []bool{false, true} {
			task := dss.Task{
				Kind: dss.Sign, Payload: string(d), At: p.now, Anchors: p.anchors(), CRLs: p.crls,
				Key: s.pkcs8(t), Chain: s.der(), TSAKey: p.tsa.pkcs8(t), TSAChain: p.tsa.der(),
				Digest: algorithms[alg], Level: level, Serialization: "general", B64: b64,
			}
			set(&task)
			names = append(names, fmt.Sprintf("%s %s b64 %v %s", alg, level, b64, name))
			tasks = append(tasks, task)
		}
	}
	for _, alg := range slices.Sorted(maps.Keys(algorithms)) {
		for _, level := range []string{"B", "T", "LT", "LTA"} {
			put(alg, level, "general", func(*dss.Task) {})
			put(alg, level, "flattened", func(t *dss.Task) { t.Serialization = "flattened" })
		}
		put(alg, "LTA", "as EDC 2.2", func(t *dss.Task) {
			t.SHA256, t.SigT, t.At, t.ContentStamp = true, true, dss.SigTEnds().Add(-time.Second), true
		})
	}
	put("ES256", "B", "sigT", func(t *dss.Task) { t.SigT, t.At = true, dss.SigTEnds().Add(-time.Second) })
	put("ES256", "B", "SHA-256", func(t *dss.Task) { t.SHA256 = true })
	put("ES256", "B", "content stamp", func(t *dss.Task) { t.ContentStamp = true })
	put("ES256", "T", "plain etsiU", func(t *dss.Task) { t.PlainEtsiU = true })
	put("ES256", "LT", "plain etsiU", func(t *dss.Task) { t.PlainEtsiU = true })
	put("ES256", "LTA", "stamped again", func(t *dss.Task) { t.Again = true })
	return names, tasks
}

// startsWithPayload is how the Commission's software knows a sealed file.
func startsWithPayload(file []byte) bool { return bytes.HasPrefix(file, []byte(`{"payload":"`)) }

// rows is a table for a reader of the log.
type rows [][]string

func (r *rows) add(columns ...string) { *r = append(*r, columns) }

func (r *rows) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, columns := range *r {
		fmt.Fprintln(w, strings.Join(columns, "\t"))
	}
	w.Flush()
	return "\n" + b.String()
}
