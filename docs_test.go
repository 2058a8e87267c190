package attesta_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// TestLinks follows every link from one page of ours to another.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("docs", func(name string, _ fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(pages, cmp.Compare)
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(found[1], ":") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, found[1])
			}
		}
	}
}

// TestReasons: docs/reference/checks.md explains every reason that the verifier
// can give, and no other.
func TestReasons(t *testing.T) {
	source, err := os.ReadFile("verifier/words_en.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/reference/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	names := func(pattern string, in []byte) (all []string) {
		for _, found := range regexp.MustCompile(pattern).FindAllSubmatch(in, -1) {
			all = append(all, string(found[1]))
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	const ids = `((?:format|seal|issuer|accreditation|validity|status|schema|holder)_[a-z_]+)`
	said, known := names("\\| `"+ids+"`", page), names(`"`+ids+`":`, source)
	for _, name := range known {
		if !slices.Contains(said, name) {
			t.Errorf("docs/reference/checks.md does not explain %s", name)
		}
	}
	for _, name := range said {
		if !slices.Contains(known, name) {
			t.Errorf("docs/reference/checks.md explains %s, which no check gives", name)
		}
	}
}
