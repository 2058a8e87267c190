// Package trustlisttest makes trusted lists for tests, and the certificates
// that stand in them: invented territories' worth, signed as the real ones are.
//
//	operator := trustlisttest.NewSigner(t, "Gestore", from, until)
//	raw := trustlisttest.Sign(t, trustlisttest.List{Territory: "IT", ...}.XML(), operator)
package trustlisttest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// The statuses and types that tests use.
const (
	Granted   = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
	Withdrawn = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
	CAQC      = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
	QTST      = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"

	types = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/"
	infos = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
)

// List is a list to be made.
type List struct {
	ID           string
	Territory    string
	OfLists      bool
	Sequence     int
	Issued, Next time.Time // a zero Next makes a closed list
	Pointers     []Pointer
	Services     []Service
}

// Pointer is a pointer to another list.
type Pointer struct {
	Territory, Address string
	OfLists            bool
	MediaType          string // that of lists for machines when empty
	Signers            []*x509.Certificate
}

// Service is a service to be listed; its States begin with the present one.
type Service struct {
	Provider, Name string
	Identity       []string // certificates in base64: see Identity
	States         []State
}

// State is what a service was from a moment on.
type State struct {
	Type, Status string
	From         time.Time
	ForSeals     bool
	NotQualified bool // some of its certificates are not, whichever
}

// Identity writes certificates for a Service.
func Identity(certificates ...*x509.Certificate) []string {
	var all []string
	for _, c := range certificates {
		all = append(all, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return all
}

// XML writes the list, without a signature.
func (l List) XML() string {
	var b strings.Builder
	kind := "EUgeneric"
	if l.OfLists {
		kind = "EUlistofthelists"
	}
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	b.WriteString(`<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" xmlns:add="http://uri.etsi.org/02231/v2/additionaltypes#" xmlns:q="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#" TSLTag="http://uri.etsi.org/19612/TSLTag"`)
	if l.ID != "" {
		b.WriteString(` Id="` + escape(l.ID) + `"`)
	}
	fmt.Fprintf(&b, ">\n <SchemeInformation>\n  <TSLVersionIdentifier>5</TSLVersionIdentifier><TSLSequenceNumber>%d</TSLSequenceNumber><TSLType>%s</TSLType>\n", l.Sequence, types+kind)
	fmt.Fprintf(&b, "  <SchemeTerritory>%s</SchemeTerritory>\n", l.Territory)
	if len(l.Pointers) > 0 {
		b.WriteString("  <PointersToOtherTSL>\n")
		for _, p := range l.Pointers {
			p.write(&b)
		}
		b.WriteString("  </PointersToOtherTSL>\n")
	}
	fmt.Fprintf(&b, "  <ListIssueDateTime>%s</ListIssueDateTime>\n  <NextUpdate>", stamp(l.Issued))
	if !l.Next.IsZero() {
		fmt.Fprintf(&b, "<dateTime>%s</dateTime>", stamp(l.Next))
	}
	b.WriteString("</NextUpdate>\n </SchemeInformation>\n")
	if len(l.Services) > 0 {
		b.WriteString(" <!-- services --><TrustServiceProviderList>\n")
		for _, s := range l.Services {
			s.write(&b)
		}
		b.WriteString(" </TrustServiceProviderList>\n")
	}
	b.WriteString("</TrustServiceStatusList>\n")
	return b.String()
}

func (p Pointer) write(b *strings.Builder) {
	media, kind := p.MediaType, "EUgeneric"
	if media == "" {
		media = "application/vnd.etsi.tsl+xml"
	}
	if p.OfLists {
		kind = "EUlistofthelists"
	}
	b.WriteString("   <OtherTSLPointer><ServiceDigitalIdentities>")
	for _, c := range Identity(p.Signers...) {
		fmt.Fprintf(b, "<ServiceDigitalIdentity><DigitalId><X509Certificate>%s</X509Certificate></DigitalId></ServiceDigitalIdentity>", c)
	}
	fmt.Fprintf(b, "</ServiceDigitalIdentities><TSLLocation>%s</TSLLocation><AdditionalInformation>", escape(p.Address))
	fmt.Fprintf(b, "<OtherInformation><TSLType>%s</TSLType></OtherInformation><OtherInformation><SchemeTerritory>%s</SchemeTerritory></OtherInformation>", types+kind, escape(p.Territory))
	fmt.Fprintf(b, "<OtherInformation><add:MimeType>%s</add:MimeType></OtherInformation></AdditionalInformation></OtherTSLPointer>\n", escape(media))
}

func (s Service) write(b *strings.Builder) {
	fmt.Fprintf(b, `  <TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="it">%s</Name></TSPName></TSPInformation><TSPServices><TSPService>`, escape(s.Provider))
	for n, state := range s.States {
		open, end := "<ServiceInformation>", "</ServiceInformation>"
		if n > 0 {
			open, end = "<ServiceHistoryInstance>", "</ServiceHistoryInstance>"
		}
		if n == 1 {
			open = "<ServiceHistory>" + open
		}
		b.WriteString(open)
		s.writeState(b, state)
		b.WriteString(end)
	}
	if len(s.States) > 1 {
		b.WriteString("</ServiceHistory>")
	}
	b.WriteString("</TSPService></TSPServices></TrustServiceProvider>\n")
}

func (s Service) writeState(b *strings.Builder, state State) {
	fmt.Fprintf(b, `<ServiceTypeIdentifier>%s</ServiceTypeIdentifier><ServiceName><Name xml:lang="en">%s</Name></ServiceName><ServiceDigitalIdentity>`, state.Type, escape(s.Name))
	for _, c := range s.Identity {
		fmt.Fprintf(b, "<DigitalId><X509Certificate>\n%s\n</X509Certificate></DigitalId>", c)
	}
	fmt.Fprintf(b, "</ServiceDigitalIdentity><ServiceStatus>%s</ServiceStatus><StatusStartingTime>%s</StatusStartingTime>", state.Status, stamp(state.From))
	if state.ForSeals || state.NotQualified {
		b.WriteString("<ServiceInformationExtensions>")
		if state.NotQualified {
			fmt.Fprintf(b, `<Extension Critical="true"><q:Qualifications><q:QualificationElement><q:Qualifiers><q:Qualifier uri="%sNotQualified"/></q:Qualifiers></q:QualificationElement></q:Qualifications></Extension>`, infos)
		}
		if state.ForSeals {
			fmt.Fprintf(b, `<Extension Critical="true"><AdditionalServiceInformation><URI xml:lang="en">%sForeSeals</URI></AdditionalServiceInformation></Extension>`, infos)
		}
		b.WriteString("</ServiceInformationExtensions>")
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
