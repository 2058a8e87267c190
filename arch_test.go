// Package attesta_test holds the plan of the house: who imports whom, which library
// lives in which room, and what stands in no file (docs/architecture.md says why).
package attesta_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testHelp are the rooms that only tests use.
var testHelp = []string{"registry/registrytest", "registry/postgres/postgrestest", "receipt/receipttest", "timestamp/timestamptest"}

// maxLines bounds a file written by hand.
const maxLines = 450

var vague = []string{"util", "utils", "common", "model", "models", "types", "helper", "helpers", "internal", "pkg", "misc", "base", "lib"}

// denied are imports that stand nowhere, and why.
var denied = map[string]string{
	"math/rand":                    "it can be guessed; use crypto/rand",
	"math/rand/v2":                 "it can be guessed; use crypto/rand",
	"github.com/gorilla/csrf":      "CVE-2025-47909; use net/http.CrossOriginProtection",
	"github.com/jackc/pgproto3":    "CVE-2026-32286 is not fixed",
	"github.com/jackc/pgproto3/v2": "CVE-2026-32286 is not fixed",
}

// deniedNames are selectors (x.Name) and names of fields that stand nowhere.
var deniedNames = map[string]string{
	"RealIP":             "it believes any header; use ClientIPFromRemoteAddr or a list of proxies",
	"RedirectSlashes":    "open redirects (GO-2025-3770, GO-2026-4316)",
	"NoSync":             "an acknowledged step would not survive a power cut",
	"InsecureSkipVerify": "it takes any server for the right one",
	"WithVerifyAuto":     "it takes keys from where the token says",
	"jwk.Fetch":          "addresses from outside go through verifier.Guarded",
}

// allowedNames are the files in which one of deniedNames stands all the same.
var allowedNames = map[string]string{
	"registry/bolt/power_test.go": "NoSync", // the control of TestPowerCut: it must lose
}

// file is one parsed source file.
type file struct {
	name  string // from the root, with slashes
	room  string
	test  bool
	tree  *ast.File
	lines int
}

// house parses every Go file of the module.
func house(t *testing.T) (files []file, set *token.FileSet) {
	t.Helper()
	set = token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(set, name, raw, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file{
			name: filepath.ToSlash(name), room: filepath.ToSlash(filepath.Dir(name)),
			test: strings.HasSuffix(name, "_test.go"), tree: tree, lines: strings.Count(string(raw), "\n"),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, set
}

// tool tells whether a file is a program of its own that go run starts, such
// as a generator: it stands in a room and is no part of it.
func (f file) tool() bool {
	for _, group := range f.tree.Comments {
		if group.Pos() < f.tree.Package && strings.Contains(group.List[0].Text, "//go:build ignore") {
			return true
		}
	}
	return false
}

func (f file) imports() []string {
	var all []string
	for _, i := range f.tree.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		all = append(all, name)
	}
	return all
}

func (f file) importsJWX() bool {
	return slices.ContainsFunc(f.imports(), func(name string) bool { return strings.HasPrefix(name, jwx+"/") })
}

func TestRooms(t *testing.T) {
	files, _ := house(t)
	seen := map[string]bool{}
	for _, f := range files {
		if f.room == "." || f.tool() {
			continue
		}
		seen[f.room] = true
		room, ok := rooms[f.room]
		if !ok {
			t.Errorf("%s: the package %s has no line in rooms: say whom it may import", f.name, f.room)
			continue
		}
		may := strings.Fields(room.imports)
		if f.test {
			may = append(may, strings.Fields(room.tests)...)
			may = append(may, f.room)
		}
		for _, name := range f.imports() {
			if ours, ok := strings.CutPrefix(name, "attesta/"); ok && !slices.Contains(may, ours) {
				t.Errorf("%s: %s may not import %s", f.name, f.room, ours)
			}
		}
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("rooms has a line for %s, and there is no such package", room)
		}
	}
}

func TestLibraries(t *testing.T) {
	files, _ := house(t)
	for _, f := range files {
		for _, name := range f.imports() {
			if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
				continue // ours or of the standard library
			}
			module := ""
			for m := range libraries {
				if (name == m || strings.HasPrefix(name, m+"/")) && len(m) > len(module) {
					module = m
				}
			}
			switch place := strings.Fields(libraries[module]); {
			case module == "":
				t.Errorf("%s: the library %s has no line in libraries: say where it may stand", f.name, name)
			case place[0] == "tests" && (f.test || slices.Contains(testHelp, f.room)):
			case !slices.Contains(place, f.room):
				t.Errorf("%s: %s stands only in: %s", f.name, module, libraries[module])
			}
		}
	}
}

// TestJWX holds the JOSE library to one file a room, out of every exported
// signature, and away from names that come from input (GHSA-4cf7-xm37-g63h).
func TestJWX(t *testing.T) {
	files, set := house(t)
	first := map[string]string{}
	for _, f := range files {
		if !f.importsJWX() || f.test {
			continue
		}
		if other, taken := first[f.room]; taken {
			t.Errorf("%s and %s both touch jwx: one file a room", other, f.name)
		}
		first[f.room] = f.name
		local := map[string]bool{}
		for _, i := range f.tree.Imports {
			if name, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(name, jwx) {
				local[filepath.Base(name)] = true
				if i.Name != nil {
					local[i.Name.Name] = true
				}
			}
		}
		for _, d := range f.tree.Decls {
			for _, shown := range exported(d) {
				ast.Inspect(shown, func(n ast.Node) bool {
					if x, ok := n.(*ast.SelectorExpr); ok {
						if id, ok := x.X.(*ast.Ident); ok && local[id.Name] {
							t.Errorf("%s: jwx shows in an exported declaration", set.Position(n.Pos()))
						}
					}
					return true
				})
			}
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if x, ok := call.Fun.(*ast.SelectorExpr); ok && x.Sel.Name == "Set" && !constant(call.Args[0], local) {
				t.Errorf("%s: Set with a name that is not constant", set.Position(n.Pos()))
			}
			return true
		})
	}
}

// constant tells whether a name is written in the source or a constant of jwx.
func constant(e ast.Expr, local map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.SelectorExpr:
		id, ok := e.X.(*ast.Ident)
		return ok && local[id.Name]
	}
	return false
}

// exported returns what other packages see of a declaration.
func exported(d ast.Decl) []ast.Node {
	var shown []ast.Node
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() {
			shown = append(shown, d.Type)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					shown = append(shown, visible(s.Type))
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
					shown = append(shown, s)
				}
			}
		}
	}
	return shown
}

// visible drops the unexported fields of a struct.
func visible(e ast.Expr) ast.Node {
	s, ok := e.(*ast.StructType)
	if !ok {
		return e
	}
	seen := &ast.FieldList{}
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
			seen.List = append(seen.List, f)
		}
	}
	return seen
}

// TestDenied looks for what stands in no file of ours.
func TestDenied(t *testing.T) {
	files, set := house(t)
	for _, f := range files {
		for _, name := range f.imports() {
			why, bad := denied[name]
			if strings.HasPrefix(name, "math/rand") && (f.test || slices.Contains(testHelp, f.room)) {
				continue // a seed makes a test repeatable
			}
			if bad {
				t.Errorf("%s imports %s: %s", f.name, name, why)
			}
		}
		say := func(n ast.Node, format string, args ...any) {
			t.Errorf("%s: %s", set.Position(n.Pos()), fmt.Sprintf(format, args...))
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				of, _ := n.X.(*ast.Ident)
				for name, why := range deniedNames {
					if allowedNames[f.name] == name {
						continue
					}
					if name == n.Sel.Name || of != nil && name == of.Name+"."+n.Sel.Name {
						say(n, "%s: %s", name, why)
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && deniedNames[key.Name] != "" {
					say(n, "%s: %s", key.Name, deniedNames[key.Name])
				}
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					say(n, "init runs unasked")
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "panic" && !f.test {
					say(n, "panic: return an error")
				}
			}
			return true
		})
	}
}

func TestFiles(t *testing.T) {
	files, _ := house(t)
	promise := map[string]string{}
	for _, f := range files {
		if f.lines > maxLines && !ast.IsGenerated(f.tree) {
			t.Errorf("%s has %d lines, at most %d", f.name, f.lines, maxLines)
		}
		if base := filepath.Base(f.room); slices.Contains(vague, base) || slices.Contains(vague, f.tree.Name.Name) {
			t.Errorf("%s: %q says nothing about what is in it", f.name, f.tree.Name.Name)
		}
		if f.test || f.tool() {
			continue
		}
		promise[f.room] += f.tree.Doc.Text()
		start := "Package " + f.tree.Name.Name + " "
		if f.tree.Name.Name == "main" {
			start = "Attesta "
		}
		if doc := f.tree.Doc.Text(); doc != "" && !strings.HasPrefix(doc, start) {
			t.Errorf("%s: the package comment does not start with %q", f.name, start)
		}
	}
	for room, text := range promise {
		if text == "" {
			t.Errorf("%s has no package comment", room)
		}
	}
}

// TestTags: what a build tag hides is read by the tests above. Only go run may
// use one, keys for devices, which need cgo, and what stands in a browser.
func TestTags(t *testing.T) {
	for room := range rooms {
		p, err := build.ImportDir(room, 0)
		if err != nil {
			t.Errorf("%s: %v", room, err)
			continue
		}
		for _, name := range p.IgnoredGoFiles {
			raw, err := os.ReadFile(filepath.Join(room, name))
			if room == "keys" && strings.HasPrefix(string(raw), "//go:build pkcs11\n") {
				continue
			}
			if room == "cmd/attesta-wasm" && strings.HasPrefix(string(raw), "//go:build js\n") {
				continue
			}
			if err != nil || !strings.HasPrefix(string(raw), "//go:build ignore\n") {
				t.Errorf("%s/%s is left out of the build and is no tool", room, name)
			}
		}
	}
}
