package presentation

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
)

// centralHeader begins the entry of a file in the directory of an archive.
const centralHeader = "PK\x01\x02"

// zipped tells an archive by how it begins, also one without entries.
func zipped(data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("PK\x05\x06"))
}

// office tells a document of Word, Excel or the like, which is an archive, by the
// part that each has (ECMA-376 part 2, OpenDocument part 2).
func office(data []byte) bool {
	return bytes.Contains(data, []byte("[Content_Types].xml")) || len(data) > 30 && bytes.HasPrefix(data[30:], []byte("mimetype"))
}

// archive reads the files of an archive, each as if it had been presented
// alone. An archive in an archive is not opened. Names are shown and lead
// nowhere.
func (r *reading) archive(i Item, data []byte) {
	// The library reads the whole directory first, however long it is.
	if bytes.Count(data, []byte(centralHeader)) > 10*MaxEntries {
		r.problem(i, "zip_entries")
		return
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		r.problem(i, "zip_damaged")
		return
	}
	var files []*zip.File
	declared := uint64(0)
	for _, f := range z.File {
		name := cleanPath(f.Name)
		if name == "[Content_Types].xml" || name == "mimetype" {
			r.problem(i, "office")
			return
		}
		if strings.HasSuffix(f.Name, "/") || strings.HasPrefix(name, "__MACOSX/") || strings.HasSuffix(name, ".DS_Store") {
			continue
		}
		files = append(files, f)
		declared += min(f.UncompressedSize64, MaxBytes+1)
	}
	switch {
	case len(files) > r.entries:
		r.problem(i, "zip_entries")
		return
	case declared > uint64(r.bytes):
		r.problem(i, "zip_large")
		return
	case len(files) == 0:
		r.problem(i, "zip_empty")
		return
	}
	r.entries -= len(files)
	for _, f := range files {
		r.entry(Item{Name: inside(i.Name, cleanPath(f.Name)), Found: InFile}, f)
	}
}

// entry reads one file of an archive. What it really unpacks to counts, beside
// what the directory says.
func (r *reading) entry(i Item, f *zip.File) {
	if f.Flags&1 != 0 {
		r.problem(i, "zip_encrypted")
		return
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		r.problem(i, "zip_method")
		return
	}
	file, err := f.Open()
	if err != nil {
		r.problem(i, "zip_damaged")
		return
	}
	defer file.Close()
	data, err := unpack(file, min(r.bytes, maxDocument), f.UncompressedSize64)
	r.bytes -= int64(len(data))
	switch {
	case errors.Is(err, errLarge) && len(data) > maxDocument:
		r.problem(i, "large")
	case errors.Is(err, errLarge):
		r.problem(i, "zip_large")
	case err != nil:
		r.problem(i, "zip_damaged")
	default:
		r.file(i, data, true)
	}
}

// errLarge says that something unpacks to more than it may.
var errLarge = errors.New("unpacking: more than is read")

// unpack reads at most so many bytes; of more it returns what it read and
// errLarge. Likely is how many there will be, if that is to be believed.
func unpack(from io.Reader, most int64, likely uint64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(likely, uint64(most))) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(from, most+1))
	if err == nil && int64(b.Len()) > most {
		err = errLarge
	}
	return b.Bytes(), err
}
