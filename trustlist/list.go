package trustlist

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	tslNamespace = "http://uri.etsi.org/02231/v2#"
	prefix       = "http://uri.etsi.org/TrstSvc/"
	tslTypes     = prefix + "TrustedList/TSLType/"
)

// List is one trusted list whose signature is good.
type List struct {
	Territory string // two letters; EU for the list of lists
	OfLists   bool   // the list of lists of the Commission
	Sequence  int
	Issued    time.Time
	// NextUpdate is until when the list speaks. Zero means that it was closed:
	// it says nothing of the time after it was issued.
	NextUpdate time.Time
	Pointers   []Pointer
	Services   []Service // those that seal or stamp time; others are left out
	Signer     *x509.Certificate
	Digest     string // SHA-256 of the XML, in hexadecimal
}

// Pointer says where another list lies and who signs it.
type Pointer struct {
	Territory string
	OfLists   bool
	Address   string
	MediaType string
	Signers   [][]byte // certificates, DER
}

// MediaType is that of lists for machines; pointers lead to others too.
const MediaType = "application/vnd.etsi.tsl+xml"

// Read reads a list that is signed by one of the certificates (DER). The
// signature must be one and stand directly in the list; it must cover the list
// and its own signed properties and nothing else, by exclusive canonicalisation
// and SHA-2, and be made with RSA or ECDSA (TS 119 612 clause 5.7). The
// certificate must have been valid when the list was issued; no authority is
// asked for it, since such certificates are published one by one.
func Read(raw []byte, signers [][]byte) (*List, error) {
	doc, err := tree(raw)
	if err != nil {
		return nil, err
	}
	if !is(doc.Root(), tslNamespace, "TrustServiceStatusList") {
		return nil, errors.New("reading the list: it is not a trusted list")
	}
	covered, by, err := verified(doc, signers)
	if err != nil {
		return nil, fmt.Errorf("checking the signature of the list: %w", err)
	}
	list, err := parse(covered)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	digest := sha256.Sum256(raw)
	list.Digest = hex.EncodeToString(digest[:])
	for _, c := range by {
		if !list.Issued.Before(c.NotBefore) && !list.Issued.After(c.NotAfter) {
			list.Signer = c
			return list, nil
		}
	}
	return nil, errors.New("checking the signature of the list: the certificate of its signer was not valid when the list was issued")
}

// Territory says which territory a list claims to be of, without believing it:
// "" when it claims none.
func Territory(raw []byte) string {
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(string(raw), byteOrderMark)))
	for range maxElements {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.Directive:
			return ""
		case xml.StartElement:
			switch t.Name.Local {
			case "SchemeTerritory":
				var territory string
				if d.DecodeElement(&territory, &t) != nil {
					return ""
				}
				return strings.TrimSpace(territory)
			case "PointersToOtherTSL", "TrustServiceProviderList":
				return ""
			}
		}
	}
	return ""
}

// The XML of a list (TS 119 612 annex C), as far as it is used here.
type listXML struct {
	XMLName xml.Name  `xml:"http://uri.etsi.org/02231/v2# TrustServiceStatusList"`
	Scheme  schemeXML `xml:"http://uri.etsi.org/02231/v2# SchemeInformation"`
	Parties []struct {
		Names    []nameXML    `xml:"TSPInformation>TSPName>Name"`
		Services []serviceXML `xml:"TSPServices>TSPService"`
	} `xml:"TrustServiceProviderList>TrustServiceProvider"`
}

type schemeXML struct {
	Version   int          `xml:"TSLVersionIdentifier"`
	Sequence  int          `xml:"TSLSequenceNumber"`
	Type      string       `xml:"TSLType"`
	Territory string       `xml:"SchemeTerritory"`
	Issued    string       `xml:"ListIssueDateTime"`
	Next      string       `xml:"NextUpdate>dateTime"`
	Pointers  []pointerXML `xml:"PointersToOtherTSL>OtherTSLPointer"`
}

type nameXML struct {
	Language string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Text     string `xml:",chardata"`
}

type pointerXML struct {
	Certificates []string `xml:"ServiceDigitalIdentities>ServiceDigitalIdentity>DigitalId>X509Certificate"`
	Address      string   `xml:"TSLLocation"`
	More         []struct {
		Type      string `xml:"TSLType"`
		Territory string `xml:"SchemeTerritory"`
		MediaType string `xml:"MimeType"`
	} `xml:"AdditionalInformation>OtherInformation"`
}

func parse(covered []byte) (*List, error) {
	var x listXML
	if err := xml.Unmarshal(covered, &x); err != nil {
		return nil, err
	}
	s := x.Scheme
	list := &List{Territory: strings.TrimSpace(s.Territory), Sequence: s.Sequence, OfLists: ofLists(s.Type)}
	if !isTerritory(list.Territory) {
		return nil, fmt.Errorf("its territory %.20q is not two letters", list.Territory)
	}
	if s.Sequence < 1 {
		return nil, errors.New("it has no sequence number")
	}
	if !list.OfLists && strings.TrimSpace(s.Type) != tslTypes+"EUgeneric" {
		return nil, fmt.Errorf("its type %.80q is neither that of a national list nor that of the list of lists", s.Type)
	}
	var err error
	if list.Issued, err = moment(s.Issued); err != nil {
		return nil, fmt.Errorf("its date of issue: %w", err)
	}
	if strings.TrimSpace(s.Next) != "" {
		if list.NextUpdate, err = moment(s.Next); err != nil {
			return nil, fmt.Errorf("the date of its next update: %w", err)
		}
	}
	for _, p := range s.Pointers {
		list.Pointers = append(list.Pointers, p.pointer())
	}
	for _, party := range x.Parties {
		for _, service := range party.Services {
			if read, ours := service.service(name(party.Names)); ours {
				list.Services = append(list.Services, read)
			}
		}
	}
	return list, nil
}

func (p pointerXML) pointer() Pointer {
	to := Pointer{Address: strings.TrimSpace(p.Address)}
	for _, more := range p.More {
		if t := strings.TrimSpace(more.Territory); t != "" {
			to.Territory = t
		}
		if t := strings.TrimSpace(more.MediaType); t != "" {
			to.MediaType = t
		}
		to.OfLists = to.OfLists || ofLists(more.Type)
	}
	for _, text := range p.Certificates {
		if der, err := unbase64(text); err == nil && len(der) > 0 {
			to.Signers = append(to.Signers, der)
		}
	}
	return to
}

func ofLists(kind string) bool { return strings.TrimSpace(kind) == tslTypes+"EUlistofthelists" }

func isTerritory(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

// name is the English one of several names, or the first.
func name(names []nameXML) string {
	first := ""
	for _, n := range names {
		text := strings.Join(strings.Fields(n.Text), " ")
		if n.Language == "en" && text != "" {
			return text
		}
		if first == "" {
			first = text
		}
	}
	return first
}

// moment reads a date and time of a list, which is in UTC.
func moment(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no date and time", s)
}
