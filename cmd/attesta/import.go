package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

var importCommand = command{
	name: "import", short: "read providers, catalogues and class lists",
	help: `usage: attesta import [--data DIR] [--provider FILE] [--catalogue FILE] [--learners FILE] ...

Reads who provides, what is taught and who learns. Each flag may be given
several times. With --provider, a folder that holds nothing yet becomes an
installation; then --public-url says under which address the world reaches it.

  --data DIR         folder of the installation (attesta-data, or $ATTESTA_DATA)
  --provider FILE    JSON: {"issuers": [...]}. A demonstration key is made for each
  --catalogue FILE   JSON: {"modules": [...]}. Each module is linted first
  --learners FILE    CSV: learner_id, given_name, family_name, email, ...
                     comma or semicolon, UTF-8 or as Excel writes it in Italy
  --replace          let a class list change people who are there already
  --public-url URL   for a new installation (http://127.0.0.1:8080)
  --store URL        where a new installation keeps its registry: a PostgreSQL
                     database, postgres://user@host/database, instead of a file
                     in the folder (or $ATTESTA_STORE)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("import")
		var providers, catalogues, learners many
		data, store := dataFlag(f, c), storeFlag(f)
		f.Var(&providers, "provider", "")
		f.Var(&catalogues, "catalogue", "")
		f.Var(&learners, "learners", "")
		replace, public := f.Bool("replace", false, ""), f.String("public-url", "", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 || len(providers)+len(catalogues)+len(learners) == 0 {
			return exitUsage, misuse("for example: attesta import --learners class.csv", "name the files with --provider, --catalogue or --learners")
		}
		request := importRequest{Replace: *replace}
		for _, kind := range []struct {
			names many
			into  *[]namedFile
		}{{providers, &request.Providers}, {catalogues, &request.Catalogues}, {learners, &request.Learners}} {
			for _, name := range kind.names {
				file, err := readFile(name)
				if err != nil {
					return exitUsage, err
				}
				*kind.into = append(*kind.into, file)
			}
		}
		o, err := reachOrBegin(ctx, c, folder(*data), settings{PublicURL: *public, Store: *store}, len(providers) > 0)
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		answer, err := o.Import(ctx, request)
		printImport(c, answer)
		return worked(err), err
	},
}

// reachOrBegin is reach, but with a provider a folder without data becomes an
// installation.
func reachOrBegin(ctx context.Context, c *console, f folder, s settings, mayBegin bool) (operator, error) {
	there, err := f.exists()
	if err != nil {
		return nil, fmt.Errorf("looking for the data: %w", err)
	}
	if there {
		if s.PublicURL != "" {
			return nil, misuse("change it with: attesta serve --public-url URL", "the installation in %s has its public address already", string(f))
		}
		return reachAt(ctx, c, f, s.Store)
	}
	if !mayBegin {
		return nil, f.errNoData()
	}
	a, err := openOrBegin(ctx, c, f, s, defaultAddr{})
	if err != nil {
		return nil, err
	}
	return local{a}, nil
}

// defaultAddr is where a server listens unless told otherwise.
type defaultAddr struct{}

func (defaultAddr) Network() string { return "tcp" }
func (defaultAddr) String() string  { return defaultAddress }

var _ net.Addr = defaultAddr{}

// maxInput bounds a file that is handed in; the parsers have tighter bounds.
const maxInput = 16 << 20

func readFile(name string) (namedFile, error) {
	file, err := os.Open(name)
	if err != nil {
		return namedFile{}, &hinted{fmt.Errorf("reading the file: %w", err), "check the name and the folder"}
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return namedFile{}, misuse("name one file in it", "%s is a folder", name)
	}
	data, err := readAll(file)
	if err != nil {
		return namedFile{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return namedFile{filepath.Base(name), data}, nil
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("it is larger than %d MB", maxInput>>20)
	}
	return data, err
}

func printImport(c *console, answer importAnswer) {
	for _, f := range answer.Files {
		c.printf("%s: %s stored", plain(f.Name), count(f.Added, strings.TrimSuffix(f.What, "s")))
		if f.Unchanged > 0 {
			c.printf(", %d unchanged", f.Unchanged)
		}
		c.printf("\n")
		for _, d := range f.Different {
			c.printf("  %s is there with other data\n    kept:  %s\n    file:  %s\n", plain(d.What), plain(d.Kept), plain(d.New))
		}
		if len(f.Different) > 0 {
			c.printf("  to take the file's data instead: --replace\n")
		}
		for _, line := range f.Follows {
			c.printf("  %s\n", plain(line))
		}
		for _, found := range f.Findings {
			language := c.language()
			c.printf("  line %d, %s: %s %s\n", found.Line, plain(found.Column), plain(found.Message[language]), plain(found.Remedy[language]))
		}
	}
}

// worked is the exit code of a command that either worked or did not.
func worked(err error) int {
	if err != nil {
		return exitNo
	}
	return exitDone
}
