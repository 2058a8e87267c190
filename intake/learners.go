package intake

import (
	"errors"
	"io"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"attesta/credentials"
	"attesta/registry"
)

const (
	maxText  = 256 // bytes of a name, an employer, a region
	maxEmail = 254 // RFC 5321 section 4.5.3.1.3
)

func learnerFields() []field {
	return []field{
		{"learner_id", true, []string{
			"learner", "learnerref", "ref", "studentid", "codicediscente", "iddiscente", "discente", "codiceallievo",
			"codicecorsista", "codicepartecipante", "codicepersona", "codice", "matricola",
		}},
		{"given_name", true, []string{"firstname", "forename", "nome"}},
		{"family_name", true, []string{"lastname", "surname", "cognome"}},
		{"email", false, []string{"mail", "emailaddress", "indirizzoemail", "postaelettronica", "indirizzomail"}},
		{"preferred_language", false, []string{"language", "lingua", "linguapreferita"}},
		{"organisation", false, []string{"organization", "employer", "ente", "organizzazione", "azienda", "datoredilavoro"}},
		{"region", false, []string{"regione", "territorio"}},
		{"role", false, []string{"ruolo", "funzione", "mansione"}},
		{"birth_date", false, append([]string{"dateofbirth", "birthday"}, italianBirth()...)},
		{"national_id", false, append([]string{"nationalnumber", "identificativonazionale"}, taxCode()...)},
		{"national_id_country", false, []string{"countryofnationalid", "paeseidentificativonazionale", "paesecodicefiscale"}},
		{"national_id_scheme", false, []string{"nationalidscheme", "tipoidentificativonazionale"}},
	}
}

// Learners reads a class list: a header with at least the columns learner_id,
// given_name and family_name, in any order and under their Italian or English
// names, and one row a person. A birth date and a national number are read where
// a list has them; they go into the credential and into no message. Names are kept exactly as written, in Unicode
// form NFC. A repeated row is read once; two rows that give one code to
// different data are both left out, and so is every row with an Error. The
// error is a *FileError when the file as a whole cannot be read or has no rows.
func Learners(r io.Reader, o Options) ([]registry.Learner, []Finding, error) {
	o, err := o.checked()
	if err != nil {
		return nil, nil, err
	}
	b, err := readAll(r, o.MaxBytes)
	if err != nil {
		return nil, nil, err
	}
	t, err := openTable(b, learnerFields(), o.MaxRows)
	if err != nil {
		return nil, nil, err
	}
	list := classList{at: make(map[string]int), doubtful: make(map[string]bool)}
	for {
		row, err := t.next()
		if errors.Is(err, io.EOF) {
			return list.sure(), list.findings, nil
		}
		if err != nil {
			return nil, nil, err
		}
		list.add(row, o)
	}
}

// A classList gathers rows and finds those that contradict each other.
type classList struct {
	learners []registry.Learner
	at       map[string]int  // position in learners by Ref
	doubtful map[string]bool // Refs with contradicting rows
	findings []Finding
}

func (c *classList) add(r row, o Options) {
	p := person{row: r, locale: o.Locale, today: o.Today}
	p.read()
	wrong := false
	for _, f := range p.findings {
		wrong = wrong || f.Severity == Error
	}
	if i, seen := c.at[p.out.Ref]; seen {
		if c.learners[i] == p.out && !wrong {
			return
		}
		c.doubtful[p.out.Ref] = true
		p.found("learner_id", "conflicting_learner", Error)
	} else if p.out.Ref != "" && !wrong {
		c.at[p.out.Ref] = len(c.learners)
		c.learners = append(c.learners, p.out)
	}
	c.findings = append(c.findings, p.findings...)
}

func (c *classList) sure() []registry.Learner {
	var sure []registry.Learner
	for _, l := range c.learners {
		if !c.doubtful[l.Ref] {
			sure = append(sure, l)
		}
	}
	return sure
}

// A person reads one row of a class list.
type person struct {
	row      row
	locale   Locale
	today    credentials.Date
	out      registry.Learner
	findings []Finding
}

func (p *person) found(key, code string, s Severity) {
	f := finding(p.row, p.out.Ref, key, code, s, p.locale)
	if private(key) {
		f.Value = "" // findings are printed and kept; birth dates and numbers are not
	}
	p.findings = append(p.findings, f)
}

func (p *person) read() {
	ref, ok := reference(p.row.cell("learner_id"))
	switch {
	case ref == "":
		p.found("learner_id", "missing_learner", Error)
	case !ok:
		p.found("learner_id", "invalid_reference", Error)
	default:
		p.out.Ref = ref
	}
	p.out.GivenName = p.text("given_name")
	p.out.FamilyName = p.text("family_name")
	switch given, family := trim(p.row.cell("given_name")), trim(p.row.cell("family_name")); {
	case given == "" && family == "":
		p.found("family_name", "missing_name", Error)
	case given == "":
		p.found("given_name", "one_name_only", Warning)
	case family == "":
		p.found("family_name", "one_name_only", Warning)
	}
	if p.out.Email = trim(p.row.cell("email")); p.out.Email != "" && !emailAddress(p.out.Email) {
		p.out.Email = ""
		p.found("email", "invalid_email", Error)
	}
	if word := trim(p.row.cell("preferred_language")); word != "" {
		if p.out.Language = languageOf(word); p.out.Language == "" {
			p.found("preferred_language", "unknown_language", Warning)
		}
	}
	p.out.Employer = p.text("organisation")
	p.out.Region = p.text("region")
	p.out.Role = p.text("role")
	p.birth()
	p.number()
}

// text reads a name or another short text.
func (p *person) text(key string) string {
	s := norm.NFC.String(trim(p.row.cell(key)))
	if len(s) > maxText || strings.IndexFunc(s, unfit) >= 0 {
		p.found(key, "invalid_text", Error)
		return ""
	}
	return s
}

// unfit tells which characters do not belong in a name: controls, marks that
// turn the direction of the text after them, and the sign of a lost letter.
// The joiners of Persian and Indian scripts do belong.
func unfit(r rune) bool {
	return !unicode.IsGraphic(r) && r != '\u200C' && r != '\u200D' && r != '\u200E' && r != '\u200F' ||
		r == utf8.RuneError || r == '\u2028' || r == '\u2029'
}

func emailAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" || len(s) > maxEmail {
		return false
	}
	at := strings.LastIndexByte(s, '@')
	domain := s[at+1:]
	return strings.Contains(strings.Trim(domain, "."), ".") && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}) < 0
}

// languageOf returns the two-letter code of a language written as a code, with
// or without a region, or as a word; "" when it is not known.
func languageOf(s string) string {
	s = strings.ToLower(norm.NFC.String(s))
	code, _, _ := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	if len(code) == 2 && code[0] >= 'a' && code[0] <= 'z' && code[1] >= 'a' && code[1] <= 'z' {
		return code
	}
	return languageWords[s]
}

// languageWords is read only.
var languageWords = map[string]string{
	"italiano": "it", "italian": "it", "tedesco": "de", "german": "de", "deutsch": "de",
	"francese": "fr", "french": "fr", "français": "fr", "inglese": "en", "english": "en",
	"spagnolo": "es", "spanish": "es", "español": "es", "portoghese": "pt", "portuguese": "pt", "português": "pt",
	"rumeno": "ro", "romeno": "ro", "romanian": "ro", "română": "ro", "ucraino": "uk", "ukrainian": "uk", "українська": "uk",
	"russo": "ru", "russian": "ru", "русский": "ru", "albanese": "sq", "albanian": "sq", "shqip": "sq",
	"arabo": "ar", "arabic": "ar", "العربية": "ar", "cinese": "zh", "chinese": "zh", "中文": "zh",
	"bengalese": "bn", "bengali": "bn", "বাংলা": "bn", "punjabi": "pa", "panjabi": "pa", "ਪੰਜਾਬੀ": "pa", "hindi": "hi", "urdu": "ur",
	"sloveno": "sl", "slovenian": "sl", "polacco": "pl", "polish": "pl", "filippino": "tl", "tagalog": "tl",
	"greco": "el", "greek": "el", "olandese": "nl", "dutch": "nl", "turco": "tr", "turkish": "tr", "singalese": "si", "sinhala": "si",
}
