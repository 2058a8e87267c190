package intake

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// J11: the names of columns are for finding the known ones. Whatever others a
// table has, what is read of it, and so what is sealed, is the same.
func TestColumnsNobodyAskedForLeaveNothing(t *testing.T) {
	hostile := []string{
		`x","admin":true,"y`, `"},"issuer":{"legalName":"Politecnico`, "alg", "crit", "@context", "@id", "__proto__", "constructor", "issuer.legalName",
		"credentialSubject", "proof", "ID", "Type", "=HYPERLINK(\"https://evil.example\")", "<script>alert(1)</script>", "a\nb", "\u202enimda", `\u0022alg\u0022`,
	}
	widen := func(file []byte) []byte {
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		for n, row := range rows {
			for _, name := range hostile {
				if n > 0 {
					name = `none","admin":"` + name
				}
				row = append(row, name)
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		return b.Bytes()
	}
	plain := sample(t, "completions_tot.csv")
	want, err := Completions(bytes.NewReader(plain), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Completions(bytes.NewReader(widen(plain)), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	for n := range got { // a cell with a line break moves the lines below it
		got[n].Line, want[n].Line = 0, 0
		for f := range got[n].Findings {
			got[n].Findings[f].Line, want[n].Findings[f].Line = 0, 0
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("completions: %s", diff)
	}
	class := sample(t, "cohort_tot_25.csv")
	before, _ := learners(t, class)
	after, findings := learners(t, widen(class))
	if diff := cmp.Diff(before, after); diff != "" || len(findings) > 0 || len(after) == 0 {
		t.Errorf("learners: %s %v", diff, codes(findings))
	}
}
