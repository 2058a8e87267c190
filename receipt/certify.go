package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// signatureRoom is how many bytes are kept free for the signature: several times
// what one with a short chain has.
const signatureRoom = 12 << 10

// Parts of a file as the library writes it (ISO 32000-2 clause 7.5).
var (
	trailerForm = regexp.MustCompile(`trailer\n<<\n/Size (\d+)\n/Root (\d+) 0 R\n/Info (\d+) 0 R\n>>\nstartxref\n(\d+)\n%%EOF\n$`)
	catalogForm = regexp.MustCompile(`^\d+ 0 obj\n<<\n(/Type /Catalog\n(?s:.*?))>>\nendobj\n`)
	pageForm    = regexp.MustCompile(`\n3 0 obj\n<<(/Type /Page\n(?s:.*?))>>\nendobj\n`)
)

// firstPage is the number of the object that is the first page.
const firstPage = 3

// update is what is added to the end of a file (clause 7.5.6).
type update struct {
	file   []byte
	places map[int]int // of the objects in it, by number
}

func (u *update) add(format string, args ...any) { u.file = fmt.Appendf(u.file, format, args...) }

func (u *update) object(number int, body string) {
	u.places[number] = len(u.file)
	u.add("%d 0 obj\n%s\nendobj\n", number, body)
}

// certify adds a signature to a file of the library, which covers all of the file
// and says that nothing may be changed (clause 12.8.2.2; ETSI EN 319 142-1
// clause 6.3). It stands on no page.
func certify(plain []byte, s Signer, made time.Time) ([]byte, error) {
	trailer := trailerForm.FindSubmatch(plain)
	if trailer == nil {
		return nil, errors.New("reading the end of the file: it is not of the known form")
	}
	number := func(n int) int { v, _ := strconv.Atoi(string(trailer[n])); return v } // digits, as it matched
	size, root, info, xref := number(1), number(2), number(3), number(4)
	at := bytes.LastIndex(plain, fmt.Appendf(nil, "\n%d 0 obj\n", root)) + 1
	catalog, page := catalogForm.FindSubmatch(plain[at:]), pageForm.FindSubmatch(plain)
	if at == 0 || catalog == nil || page == nil {
		return nil, errors.New("reading the catalog and the first page: they are not of the known form")
	}
	signature, field := size, size+1
	u := &update{file: slices.Clone(plain), places: map[int]int{}}
	u.object(root, fmt.Sprintf("<<\n%s/Version /1.7\n/AcroForm << /Fields [%d 0 R] /SigFlags 3 >>\n/ViewerPreferences << /DisplayDocTitle true >>\n/Perms << /DocMDP %d 0 R >>\n/%s true\n>>", catalog[1], field, signature, Mark))
	u.object(firstPage, fmt.Sprintf("<<%s\n/Annots [%d 0 R]>>", page[1], field))
	u.object(field, fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (receipt) /V %d 0 R /Rect [0 0 0 0] /F 132 /P %d 0 R >>", signature, firstPage))
	const range0, zero = "/ByteRange [0 ", "0000000000 0000000000 0000000000]"
	u.object(signature, fmt.Sprintf("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:%sZ)\n"+
		"/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P 1 /V /1.2 >> >>]\n%s%s\n/Contents <%0*d> >>",
		made.UTC().Format("20060102150405"), range0, zero, 2*signatureRoom, 0))
	u.finish(plain, [4]int{size + 2, root, info, xref})
	return u.sign(s, range0, zero)
}

// finish writes the table of the added objects and the new end. Of the two names
// of the file one is that of what it was, the other that of what it is.
func (u *update) finish(plain []byte, is [4]int) {
	table := len(u.file)
	u.add("xref\n")
	for number := range is[0] {
		if at, added := u.places[number]; added {
			u.add("%d 1\n%010d 00000 n \n", number, at)
		}
	}
	before, now := sha256.Sum256(plain), sha256.Sum256(u.file)
	u.add("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d /ID [<%X> <%X>] >>\nstartxref\n%d\n%%%%EOF\n",
		is[0], is[1], is[2], is[3], before[:16], now[:16], table)
}

// sign says which bytes are signed, signs them, and puts the signature where room
// was kept for it.
func (u *update) sign(s Signer, before, zero string) ([]byte, error) {
	file := u.file
	ranges := bytes.LastIndex(file, []byte(before+zero)) + len(before)
	contents := bytes.Index(file[ranges:], []byte("/Contents <")) + ranges + len("/Contents ")
	after := contents + 2*signatureRoom + 2
	copy(file[ranges:], fmt.Sprintf("%010d %010d %010d]", contents, after, len(file)-after))
	digest := sha256.New()
	_, _ = digest.Write(file[:contents]) // a hash never fails
	_, _ = digest.Write(file[after:])
	signature, err := s.sign(digest.Sum(nil))
	if err != nil {
		return nil, err
	}
	if len(signature) > signatureRoom {
		return nil, fmt.Errorf("placing the signature: it has %d bytes, and there is room for %d; use a key with a shorter chain", len(signature), signatureRoom)
	}
	hex.Encode(file[contents+1:], signature)
	return file, nil
}
