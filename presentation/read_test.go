package presentation

import (
	"context"
	"fmt"
	"image"
	"os"
	"strings"
	"testing"
	"time"

	"attesta/verifier/wordstest"
)

// told says an item in one line.
func told(i Item) string {
	var what string
	switch {
	case i.Problem != nil:
		what = "problem " + i.Problem.Code
	case i.Handle != "":
		what = "handle " + i.Handle
	case i.Address != nil && i.Address.Ours:
		what = "ours"
	case i.Address != nil:
		what = "elsewhere " + i.Address.ASCII
	case i.Text != "":
		what = "text " + i.Text
	default:
		what = fmt.Sprintf("sealed %d", len(i.Sealed))
	}
	return string(i.Found) + " " + what
}

func read(files ...File) []string {
	var all []string
	for _, i := range NewReader(house).Read(context.Background(), files...) {
		all = append(all, told(i))
	}
	return all
}

// short is a text of the length and kind of a large compact QR.
func short() string { return "AT1:" + strings.Repeat("6BF+$/.Z0", 100) + "12" }

const compact = "eyJhbGciOiJFUzI1NiJ9.eyJ4IjoxfQ.c2ln"

// TestKinds reads one good file of every kind, by what it holds and whatever its
// name says.
func TestKinds(t *testing.T) {
	own := house + "/v/" + handle
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"sealed":                    {[]byte(sealed), "file sealed 32"},
		"token":                     {[]byte(compact + "\n"), "file sealed " + fmt.Sprint(len(compact))},
		"SD-JWT":                    {[]byte(compact + "~WyJhIl0~"), "file sealed " + fmt.Sprint(len(compact)+9)},
		"SD-JWT with its key":       {[]byte(compact + "~WyJhIl0~" + compact), "file sealed " + fmt.Sprint(2*len(compact)+9)},
		"SD-JWT, large":             {[]byte(compact + "~" + strings.Repeat("WyJhIl0~", 2000) + "\n"), "file sealed " + fmt.Sprint(len(compact)+16001)},
		"SD-JWT in lines":           {[]byte("\xEF\xBB\xBF" + compact[:9] + "\r\n" + compact[9:] + "~Wy\n\tJhIl0~\r\n"), "file sealed " + fmt.Sprint(len(compact)+9)},
		"SD-JWT in many lines":      {[]byte(compact + "~" + strings.Repeat("WyJhIl0~\n", 2000)), "file sealed " + fmt.Sprint(len(compact)+16001)},
		"SD-JWT, header in lines":   {[]byte("ewogICJhbGciOiAiRVMyNTYiCn0" + compact[20:] + "~"), "file sealed " + fmt.Sprint(27+len(compact)-20+1)},
		"SD-JWT in parts":           {[]byte(compact + "~\nWyJhIl0~\n" + compact), "file sealed " + fmt.Sprint(2*len(compact)+9)},
		"QR with an SD-JWT":         {asPNG(t, qr(t, compact+"~WyJhIl0~", 4, false)), "qr sealed " + fmt.Sprint(len(compact)+9)},
		"two SD-JWTs":               {[]byte(compact + "~\n" + compact + "~\n"), "file sealed " + fmt.Sprint(2*len(compact)+4)},
		"SD-JWT and a code":         {[]byte(compact + "~\n" + handle + "\n"), "file sealed " + fmt.Sprint(len(compact)+len(handle)+3)},
		"a host like a token":       {[]byte("eye.care.it"), "file elsewhere eye.care.it"},
		"lines like a token":        {[]byte("eyJh\nbc.x y.z"), "file sealed 13"},
		"SD-JWT in an archive":      {zipOf(t, "a.sdjwt", compact+"~\n", "b.jwt", compact, "c.txt", compact+"~"), fmt.Sprintf("file sealed %d, file sealed %d, file sealed %d", len(compact)+1, len(compact), len(compact)+1)},
		"PNG badge with an SD-JWT":  {pngWith(t, badgeText(compact+"~")), "badge sealed " + fmt.Sprint(len(compact)+1)},
		"nothing known":             {[]byte("row;name\n1;x\n"), "file sealed 13"},
		"compact QR in a text":      {[]byte(short() + "\n"), "file sealed " + fmt.Sprint(len(short()))},
		"compact QR":                {asPNG(t, qr(t, strings.ToUpper(house)+"/C#"+short(), 4, false)), "qr sealed " + fmt.Sprint(len(short()))},
		"compact QR of others":      {asJPEG(t, onPage(qr(t, "HTTPS://OTHER.EXAMPLE/C#"+short(), 8, false), 3000, 4000)), "qr sealed " + fmt.Sprint(len(short()))},
		"compact QR in an archive":  {zipOf(t, "a.txt", short()), "file sealed " + fmt.Sprint(len(short()))},
		"no page of a compact QR":   {[]byte("https://other.example/login#" + short()), "file elsewhere other.example"},
		"empty":                     {nil, "file sealed 0"},
		"a link in a text file":     {[]byte(own + "\r\n"), "file handle " + handle},
		"PDF":                       {pdfWith(sealed), "attachment sealed 32"},
		"PDF with object streams":   {modernPDF(sealed), "attachment sealed 32"},
		"PDF with two":              {pdfWith(sealed, "<xml/>", sealed+" "), "attachment sealed 32, attachment sealed 33"},
		"PDF with a badge":          {pdfWith(string(pngWith(t, badgeText(sealed)))), "badge sealed 32"},
		"PNG badge":                 {pngWith(t, badgeText(sealed)), "badge sealed 32"},
		"PNG badge with a token":    {pngWith(t, badgeText(compact)), "badge sealed " + fmt.Sprint(len(compact))},
		"PNG badge with an address": {pngWith(t, badgeText("https://badges.example/1")), "badge elsewhere badges.example"},
		"SVG badge, text":           {svgWith("<openbadges:credential><![CDATA[" + sealed + "]]></openbadges:credential>"), "badge sealed 32"},
		"SVG badge, attribute":      {svgWith(`<openbadges:assertion verify="` + compact + `"/>`), "badge sealed " + fmt.Sprint(len(compact))},
		"SVG badge with both forms": {svgWith(`<openbadges:assertion verify="https://x.example/a">` + sealed + `</openbadges:assertion>`), "badge sealed 32"},
		"screenshot":                {asPNG(t, qr(t, own, 4, false)), "qr handle " + handle},
		"tiny":                      {asPNG(t, qr(t, own, 1, false)), "qr handle " + handle},
		"inverted":                  {asPNG(t, qr(t, own, 6, true)), "qr handle " + handle},
		"photo":                     {asJPEG(t, onPage(qr(t, own, 8, false), 3000, 4000)), "qr handle " + handle},
		"small on a large page":     {asJPEG(t, onPage(qr(t, own, 4, false), 3000, 4000)), "qr handle " + handle},
		"capitals":                  {asPNG(t, qr(t, strings.ToUpper(own), 5, false)), "qr handle " + handle},
		"with a language":           {asPNG(t, qr(t, own+"?lang=en", 5, false)), "qr handle " + handle},
		"ZIP":                       {zipOf(t, "a/one.jsonld", sealed, "two.txt", own, "__MACOSX/._one", "x", "q.png", string(asPNG(t, qr(t, own, 4, false)))), "file sealed 32, file handle " + handle + ", qr handle " + handle},
	} {
		if got := strings.Join(read(File{"misleading.exe", c.data}), ", "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestQRElsewhere (Q1, Q3): what does not lead to a page of ours where a
// credential is checked is shown with where it leads, exactly, and not taken for
// ours.
func TestQRElsewhere(t *testing.T) {
	for text, want := range map[string]string{
		"https://evil.example/v/" + handle:                                 "elsewhere evil.example",
		house + "@evil.example/v/" + handle:                                "elsewhere evil.example",
		house + ".evil.example/v/" + handle:                                "text",
		"https://attesta.example/v/" + handle:                              "elsewhere attesta.example",
		"https://attesta.example:443/v/" + handle:                          "elsewhere attesta.example",
		"http://attesta.example:8443/v/" + handle:                          "elsewhere attesta.example",
		"https://attestа.example:8443/v/" + handle:                         "elsewhere xn--attest-8nf.example", // a Cyrillic a
		house + "/c/ABCDEFGHIJKLMNOPQRSTUVWXY2":                            "ours",
		house + "/v/" + handle + "/../../x":                                "ours",
		house + "/v/" + handle + "?next=//evil.example":                    "ours",
		house + "//evil.example/v/" + handle:                               "ours",
		house + "/v/" + handle[1:]:                                         "ours",
		house:                                                              "ours",
		house + `\@evil.example/v/` + handle:                               "text",
		"https://evil.example\t/v":                                         "text",
		"https://evil\u202Eelpmaxe.example":                                "text",
		"javascript:alert(1)":                                              "text",
		"data:text/html,<script>":                                          "text",
		"WIFI:T:WPA;S:x;P:y;;":                                             "text",
		"tel:+390000":                                                      "text",
		"www.evil.example/verify?x=" + house:                               "elsewhere www.evil.example",
		"https://xn--mnchen-3ya.example":                                   "elsewhere xn--mnchen-3ya.example",
		"https://[::1]:80/v/x":                                             "elsewhere ::1",
		"just a sentence with \x00 and \x1b[31m":                           "text just a sentence with  and [31m",
		strings.Repeat("x", 2000):                                          "text " + strings.Repeat("x", 300) + "…",
		"https://ex.example/" + strings.Repeat("y", 2000):                  "elsewhere ex.example",
		"https://evil.example/?u=https://attesta.example:8443/v/" + handle: "elsewhere evil.example",
	} {
		i := NewReader(house).refer(Item{Found: InQR}, text)
		if got := told(i); !strings.HasPrefix(got, "qr "+want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		shown := i.Text
		if i.Address != nil {
			shown += i.Address.Text + i.Address.Host
		}
		if strings.ContainsAny(shown, "\u202E\x00\x1b\n\t") || len(shown) > 1000 {
			t.Errorf("%q: shown as %q", text, shown)
		}
	}
	if a := AddressIn("https://xn--mnchen-3ya.example/x"); a.Host != "münchen.example" || a.ASCII != "xn--mnchen-3ya.example" {
		t.Errorf("%+v", a)
	}
	if got := told(NewReader("").refer(Item{Found: InQR}, house+"/v/"+handle)); got != "qr elsewhere attesta.example" {
		t.Errorf("without an installation: %s", got)
	}
}

// TestQRModes (Q3): a QR in Latin letters, of many bytes, and with nothing.
func TestQRModes(t *testing.T) {
	for _, text := range []string{"\u65e5\u672c\u8a9e", "1234567890", strings.Repeat("ABC ", 600), "Perché così è \u00e0"} {
		got := read(File{"x", asPNG(t, qr(t, text, 3, false))})[0]
		if !strings.HasPrefix(got, "qr text ") {
			t.Errorf("%.20q: %s", text, got)
		}
	}
	if got := read(File{"x", asPNG(t, image.NewGray(image.Rect(0, 0, 300, 300)))})[0]; got != "file problem qr_none" {
		t.Errorf("a black picture: %s", got)
	}
}

// TestPunycode takes the names of RFC 3492 section 7.1 and others.
func TestPunycode(t *testing.T) {
	for plain, ace := range map[string]string{
		"bücher.example": "xn--bcher-kva.example", "他们为什么不说中文": "xn--ihqwcrb4cv8a8dqg056pqjye",
		"почемужеонинеговорятпорусски": "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l", "porquénopuedensimplementehablarenespañol": "xn--porqunopuedensimplementehablarenespaol-fmd56a",
		"ascii.example": "ascii.example", "3年b組金八先生": "xn--3b-ww4c5e180e575a65lsy2b",
	} {
		if got := asciiHost(plain); got != ace {
			t.Errorf("%s: %s, want %s", plain, got, ace)
		}
		if got := unicodeHost(ace); got != plain {
			t.Errorf("%s: %s, want %s", ace, got, plain)
		}
	}
	for _, bad := range []string{"xn--", "xn--99999999999", "xn--a-", "xn--\xff", strings.Repeat("é", 80)} {
		if got := unicodeHost(bad); got != bad {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

// TestWords: every problem has words in every language, and a code that is not
// known claims nothing.
func TestWords(t *testing.T) {
	for language, said := range sentences {
		if language != "en" {
			wordstest.Compare(t, language, wordstest.Pairs(english), wordstest.Pairs(said))
		}
		for code, pair := range said {
			if pair[0] == "" || pair[1] == "" {
				t.Errorf("%s %s: %q", language, code, pair)
			}
		}
		if found, todo := (&Problem{Code: "new"}).Words(language); found != said["unknown"][0] || todo == "" {
			t.Errorf("%q %q", found, todo)
		}
	}
	if found, _ := (&Problem{Code: "empty"}).Words("xx"); found != english["empty"][0] {
		t.Errorf("in no language: %q", found)
	}
}

// TestLate: when there is no time left, what was not read says so.
func TestLate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	items := NewReader("").Read(ctx, File{"a", []byte(sealed)}, File{"b", []byte(sealed)})
	if len(items) != 2 || items[1].Problem == nil || items[1].Problem.Code != "late" || items[1].Name != "b" {
		t.Errorf("%+v", items)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"../../etc/passwd": "etc/passwd", `..\..\x`: "x", "/root": "root", "a\r\nb": "a  b", "\u202Egnp.exe": "gnp.exe",
		strings.Repeat("n", 500): strings.Repeat("n", 100) + "…", "\xff\xfe": "\uFFFD", "C:\\a\\b": "C:/a/b", "=cmd()": "=cmd()",
	} {
		if got := cleanPath(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestReference: docs/reference/api.md names every problem.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, said := range english {
		if row := "| `" + code + "` | " + said[0] + " |"; code != "unknown" && !strings.Contains(string(page), row) {
			t.Errorf("docs/reference/api.md lacks %s", row)
		}
	}
}
