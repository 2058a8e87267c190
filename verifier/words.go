package verifier

import (
	"regexp"
	"strings"
	"time"
)

// Words says a check in a person's language (it or en; anything else is read
// as en): what was found, and what the reader can do ("" when nothing). Times
// among the facts are shown as days in the zone in which they are written.
func Words(c Check, language string) (found, todo string) {
	said, ok := sentences[c.Reason]
	if !ok {
		said = sentences["unknown"]
	}
	n := 0
	if language != "it" {
		n = 2
	}
	fill := make([]string, 0, 2*len(c.Facts)+2)
	for name, value := range c.Facts {
		fill = append(fill, "{"+name+"}", inWords(value, language))
	}
	fill = append(fill, "{today}", today(c.Facts["day"], language))
	r := strings.NewReplacer(fill...)
	return Elided(r.Replace(said[n])), Elided(r.Replace(said[n+1]))
}

// vowel finds an Italian article before a day that is spoken with a vowel:
// il 8 maggio is l’8 maggio.
var vowel = regexp.MustCompile(`\b(il|dal|al) (8|11) (gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic)`)

// Elided writes Italian articles before a day as they are spoken.
func Elided(text string) string {
	return vowel.ReplaceAllStringFunc(text, func(found string) string {
		article, rest, _ := strings.Cut(found, " ")
		return map[string]string{"il": "l’", "dal": "dall’", "al": "all’"}[article] + rest
	})
}

func inWords(value, language string) string {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	return Day(t, language)
}

// Day writes a day as people read it: 29 maggio 2026, 29 May 2026.
func Day(t time.Time, language string) string {
	if language != "it" {
		return t.Format("2 January 2006")
	}
	months := [...]string{
		"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
		"luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
	}
	day := t.Format("2")
	if day == "1" {
		day = "1º"
	}
	return day + " " + months[t.Month()-1] + " " + t.Format("2006")
}

// sentences gives for every reason: Italian found and todo, English found and
// todo.
var sentences = map[string][4]string{
	"format_edc": {"È una credenziale digitale europea (EDC) leggibile.", "", "It is a readable European Digital Credential (EDC).", ""},
	"format_empty": {
		"Non c’è niente da verificare: il file è vuoto.", "Carica il file che termina con .jsonld, oppure apri il link del QR.",
		"There is nothing to check: the file is empty.", "Upload the file that ends in .jsonld, or open the link of the QR.",
	},
	"format_too_large": {
		"Il file è troppo grande per essere un attestato.", "Carica solo il file .jsonld, al massimo 4 MB.",
		"The file is too large to be a credential.", "Upload only the .jsonld file, at most 4 MB.",
	},
	"format_not_json": {
		"Non è un attestato digitale: il contenuto non si può leggere.", "Chiedi alla persona il file .jsonld originale, senza modifiche.",
		"This is not a digital credential: the content cannot be read.", "Ask the person for the original .jsonld file, unchanged.",
	},
	"format_not_sealed": {
		"Il file non porta un sigillo elettronico: chiunque potrebbe averlo scritto.", "Chiedi alla persona il file .jsonld originale, o il suo QR.",
		"The file carries no electronic seal: anybody could have written it.", "Ask the person for the original .jsonld file, or for the QR.",
	},
	"format_header": {
		"Il sigillo non è scritto nel modo previsto, quindi non si può accettare.", "Chiedi all’ente un nuovo file.",
		"The seal is not written in the expected way, so it cannot be accepted.", "Ask the provider for a new file.",
	},
	"format_certificate": {
		"Il certificato del sigillo manca o non corrisponde.", "Chiedi all’ente un nuovo file.",
		"The certificate of the seal is missing or does not match.", "Ask the provider for a new file.",
	},
	"format_payload": {
		"Il contenuto sigillato non è una credenziale digitale europea.", "Chiedi alla persona il file .jsonld originale.",
		"The sealed content is not a European Digital Credential.", "Ask the person for the original .jsonld file.",
	},
	"format_unreadable": {
		"Il contenuto non si può leggere.", "Chiedi alla persona il file .jsonld originale.",
		"The content cannot be read.", "Ask the person for the original .jsonld file.",
	},
	"seal_intact": {"Il sigillo è integro: dal {at} il contenuto non è cambiato.", "", "The seal is intact: the content has not changed since {at}.", ""},
	"seal_proven": {
		"Il sigillo è integro. {by} attesta che esisteva già il {at}, e da allora il contenuto non è cambiato.", "",
		"The seal is intact. {by} attests that it was there on {at}, and the content has not changed since.", "",
	},
	"seal_content_stamp": {
		"La marca temporale dentro il sigillo riguarda un altro contenuto.", "Non fidarti di questo file. Contatta l’ente.",
		"The time stamp inside the seal is over other content.", "Do not rely on this file. Contact the provider.",
	},
	"seal_broken": {
		"Il sigillo è rotto: il contenuto è stato modificato, o il sigillo è falso.", "Non fidarti di questo file. Chiedi l’originale o contatta l’ente.",
		"The seal is broken: the content was changed, or the seal is forged.", "Do not rely on this file. Ask for the original or contact the provider.",
	},
	"seal_in_future": {
		"Il sigillo porta una data futura ({at}).", "Controlla l’orologio di questo computer, o contatta l’ente.",
		"The seal carries a date in the future ({at}).", "Check the clock of this computer, or contact the provider.",
	},
	"issuer_demonstration": {
		"Il sigillo è di {name}, con una chiave dimostrativa: la garantisce solo questa installazione, nessuna autorità esterna. Non è un sigillo qualificato.", "Usalo per provare il servizio, non per decidere.",
		"The seal is that of {name}, with a demonstration key: only this installation vouches for it, no outside authority. It is not a qualified seal.", "Use it to try the service, not to decide.",
	},
	"issuer_advanced": {"Il sigillo è di {name}. Lo garantisce {anchor}. È un sigillo avanzato.", "", "The seal is that of {name}. {anchor} vouches for it. It is an advanced seal.", ""},
	"issuer_qualified": {
		"Il sigillo è di {name}. È un sigillo elettronico qualificato: lo garantisce {anchor}, nell’elenco di fiducia dell’Unione europea.", "",
		"The seal is that of {name}. It is a qualified electronic seal: {anchor}, on the trusted list of the European Union, vouches for it.", "",
	},
	"issuer_qualified_certificate": {
		"Il sigillo è di {name}. È un sigillo avanzato con certificato qualificato: lo garantisce {anchor}, nell’elenco di fiducia dell’Unione europea.", "",
		"The seal is that of {name}. It is an advanced seal with a qualified certificate: {anchor}, on the trusted list of the European Union, vouches for it.", "",
	},
	"issuer_unrecognised": {
		"Il sigillo dice di essere di {name}, ma nessuno che conosciamo lo garantisce. Ente non riconosciuto non vuol dire falso.", "Contatta l’ente per una via che conosci già, oppure verifica sul sito dell’ente.",
		"The seal says it is that of {name}, but nobody we know vouches for it. Unrecognised does not mean forged.", "Contact the provider by a way you already know, or check on the provider’s own site.",
	},
	"issuer_mismatch": {
		"Il nome dell’ente scritto nell’attestato ({name}) non è quello del sigillo ({sealer}).", "Non fidarti di questo file. Contatta l’ente.",
		"The provider named in the credential ({name}) is not the one of the seal ({sealer}).", "Do not rely on this file. Contact the provider.",
	},
	"issuer_nameless": {
		"Il certificato del sigillo non nomina un’organizzazione.", "Chiedi all’ente un nuovo file.",
		"The certificate of the seal names no organisation.", "Ask the provider for a new file.",
	},
	"issuer_certificate": {
		"Il certificato di {name} non poteva essere usato per questo sigillo.", "Contatta l’ente.",
		"The certificate of {name} could not be used for this seal.", "Contact the provider.",
	},
	"issuer_key_revoked": {
		"La chiave di {name} non vale più dal {on}.", "Non fidarti di questo file. Contatta l’ente.",
		"The key of {name} no longer counts since {on}.", "Do not rely on this file. Contact the provider.",
	},
	"issuer_key_revoked_since": {
		"La chiave di {name} non vale più dal {on}. Che il sigillo sia di prima lo dice solo il sigillo.", "Chiedi all’ente di confermare.",
		"The key of {name} no longer counts since {on}. Only the seal itself says that it was made before.", "Ask the provider to confirm.",
	},
	"issuer_key_revoked_later": {
		"La chiave di {name} non vale più dal {on}. Questo sigillo è di prima: lo attesta {by}.", "",
		"The key of {name} no longer counts since {on}. This seal is from before: {by} attests it.", "",
	},
	"issuer_certificate_ended": {
		"Il certificato di {name}, o quello di chi l’ha rilasciato, è finito il {on}. Che il sigillo sia di prima lo dice solo il sigillo.", "Chiedi all’ente un file con marca temporale, o di confermare.",
		"The certificate of {name}, or that of who issued it, ended on {on}. Only the seal itself says that it was made before.", "Ask the provider for a file with a time stamp, or to confirm.",
	},
	"accreditation_then_and_now": {
		"{name} era accreditato quando ha rilasciato l’attestato ({then}), e lo è {today}: lo dice {authority}.", "",
		"{name} was accredited when it issued the credential ({then}), and is {today}: {authority} says so.", "",
	},
	"accreditation_ended": {
		"Secondo {authority}, {name} era accreditato quando ha rilasciato l’attestato ({then}): sì; {today}: no, l’accreditamento è finito il {since}.", "",
		"According to {authority}, {name} was accredited when it issued the credential ({then}): yes; {today}: no, the accreditation ended on {since}.", "",
	},
	"accreditation_suspended": {
		"Secondo {authority}, {name} era accreditato quando ha rilasciato l’attestato ({then}): sì; {today}: no, l’accreditamento è sospeso dal {since}.", "",
		"According to {authority}, {name} was accredited when it issued the credential ({then}): yes; {today}: no, the accreditation is suspended since {since}.", "",
	},
	"accreditation_ended_unproven": {
		"Secondo {authority}, {name} era accreditato nel giorno in cui dice di aver rilasciato l’attestato ({then}): sì; {today}: no, l’accreditamento è finito il {since}. Che il sigillo sia di prima lo dice solo il sigillo.", "Se è importante, chiedi all’ente una copia con marca temporale, o di confermare la data.",
		"According to {authority}, {name} was accredited on the day on which it says it issued the credential ({then}): yes; {today}: no, the accreditation ended on {since}. Only the seal itself says that it was made before.", "If it matters, ask the provider for a copy with a time stamp, or to confirm the date.",
	},
	"accreditation_suspended_unproven": {
		"Secondo {authority}, {name} era accreditato nel giorno in cui dice di aver rilasciato l’attestato ({then}): sì; {today}: no, l’accreditamento è sospeso dal {since}. Che il sigillo sia di prima lo dice solo il sigillo.", "Se è importante, chiedi all’ente una copia con marca temporale, o di confermare la data.",
		"According to {authority}, {name} was accredited on the day on which it says it issued the credential ({then}): yes; {today}: no, the accreditation is suspended since {since}. Only the seal itself says that it was made before.", "If it matters, ask the provider for a copy with a time stamp, or to confirm the date.",
	},
	"accreditation_gap_unproven": {
		"Secondo {authority}, {name} era accreditato nel giorno in cui dice di aver rilasciato l’attestato ({then}), e lo è {today}. Per un periodo, dal {since}, non lo era: che il sigillo sia di prima lo dice solo il sigillo.", "Se è importante, chiedi all’ente una copia con marca temporale, o di confermare la data.",
		"According to {authority}, {name} was accredited on the day on which it says it issued the credential ({then}), and is {today}. For a time, from {since} on, it was not: only the seal itself says that it was made before.", "If it matters, ask the provider for a copy with a time stamp, or to confirm the date.",
	},
	"accreditation_then_list_stale": {
		"{name} era accreditato quando ha rilasciato l’attestato ({then}), secondo {authority}. Se lo sia {today} non si sa: l’elenco arriva al {speaks}.", "Se è importante, controlla sul sito di chi accredita.",
		"{name} was accredited when it issued the credential ({then}), according to {authority}. Whether it is {today} is not known: the list speaks until {speaks}.", "If it matters, look on the site of who accredits.",
	},
	"accreditation_list_stale": {
		"Se {name} fosse accreditato quando ha rilasciato l’attestato ({then}) non si sa: l’elenco di {authority} arriva al {speaks}.", "Se ti serve un ente accreditato, controlla sul sito di chi accredita.",
		"Whether {name} was accredited when it issued the credential ({then}) is not known: the list of {authority} speaks until {speaks}.", "If you need an accredited provider, look on the site of who accredits.",
	},
	"accreditation_not_then": {
		"Quando ha rilasciato l’attestato ({then}) {name} NON era accreditato: lo dice {authority}. L’accreditamento era finito il {since}.", "Chiedi spiegazioni all’ente, o a chi accredita.",
		"When it issued the credential ({then}) {name} was NOT accredited: {authority} says so. The accreditation had ended on {since}.", "Ask the provider, or who accredits.",
	},
	"accreditation_not_yet": {
		"Quando ha rilasciato l’attestato ({then}) {name} NON era accreditato: lo dice {authority}. L’accreditamento comincia solo dal {since}.", "Chiedi spiegazioni all’ente, o a chi accredita.",
		"When it issued the credential ({then}) {name} was NOT accredited: {authority} says so. The accreditation begins only on {since}.", "Ask the provider, or who accredits.",
	},
	"accreditation_suspended_then": {
		"Quando ha rilasciato l’attestato ({then}) l’accreditamento di {name} era SOSPESO, dal {since}: lo dice {authority}.", "Chiedi spiegazioni all’ente, o a chi accredita.",
		"When it issued the credential ({then}) the accreditation of {name} was SUSPENDED, since {since}: {authority} says so.", "Ask the provider, or who accredits.",
	},
	"accreditation_outside": {
		"{name} è nell’elenco di {authority}, ma il suo accreditamento NON riguarda un attestato come questo.", "Se ti serve un ente accreditato per questo, chiedi a chi accredita.",
		"{name} is in the list of {authority}, but its accreditation is NOT for a credential like this one.", "If you need a provider that is accredited for this, ask who accredits.",
	},
	"accreditation_limited": {
		"{name} era accreditato il {then}, con limiti: lo dice {authority}. L’attestato non dice abbastanza per sapere se riguardano anche questo.", "Se ti serve un ente accreditato per questo, chiedi a chi accredita.",
		"{name} was accredited on {then}, with limits: {authority} says so. The credential does not say enough to tell whether they cover it.", "If you need a provider that is accredited for this, ask who accredits.",
	},
	"accreditation_mandate": {
		"{name} era accreditato il {then}: lo dice {authority}. Che {sealer} possa sigillare per suo conto lo dice solo chi sigilla.", "Se è importante, chiedi conferma a {name}.",
		"{name} was accredited on {then}: {authority} says so. That {sealer} may seal on its behalf only the sealer says.", "If it matters, ask {name} to confirm.",
	},
	"accreditation_not_known": {
		"Non risulta un accreditamento dell’ente: nessun elenco che abbiamo lo nomina.", "Se ti serve un ente accreditato, controlla nell’albo della regione.",
		"No accreditation of the provider is known: no list that we have names it.", "If you need an accredited provider, look into the register of the region.",
	},
	"accreditation_claimed": {
		"L’attestato dichiara un accreditamento ({register}). Nessun elenco che abbiamo lo conferma.", "Se ti serve un ente accreditato, controlla nell’albo della regione.",
		"The credential claims an accreditation ({register}). No list that we have confirms it.", "If you need an accredited provider, look into the register of the region.",
	},
	"accreditation_not_checked": {
		"L’accreditamento non è stato controllato: nessuno garantisce per chi ha sigillato.", "",
		"The accreditation was not checked: nobody vouches for the sealer.", "",
	},
	"validity_no_end":  {"È valido dal {from} e non ha scadenza.", "", "It is valid from {from} and does not expire.", ""},
	"validity_until":   {"È valido fino al {on}.", "", "It is valid until {on}.", ""},
	"validity_expired": {"È scaduto il {on}.", "Chiedi se esiste un attestato più recente.", "It expired on {on}.", "Ask whether there is a newer credential."},
	"validity_not_yet": {"È valido solo dal {on}.", "Conta da quel giorno in poi, non prima.", "It is valid only from {on}.", "It counts from that day on, and not before."},
	"validity_sealed_later": {
		"Nel giorno richiesto non c’era ancora: è stato sigillato il {on}.", "",
		"It was not there yet on the day asked about: it was sealed on {on}.", "",
	},
	"validity_unstated": {
		"L’attestato non dice da quando è valido.", "Chiedi all’ente un nuovo file.",
		"The credential does not say from when it is valid.", "Ask the provider for a new file.",
	},
	"status_not_yet": {
		"Nessuno può sapere oggi se nel giorno richiesto sarà ancora valido.", "Ripeti la verifica quel giorno.",
		"Nobody can know today whether it will still hold on the day asked about.", "Repeat the check on that day.",
	},
	"status_valid": {"Non è revocato né sospeso.", "", "It is neither revoked nor suspended.", ""},
	"status_revoked": {
		"L’ente lo ha revocato: non vale più.", "Chiedi spiegazioni all’ente o alla persona.",
		"The provider has revoked it: it no longer counts.", "Ask the provider or the person why.",
	},
	"status_suspended": {
		"L’ente lo ha sospeso: per ora non vale.", "Riprova più avanti, o chiedi all’ente.",
		"The provider has suspended it: for now it does not count.", "Try again later, or ask the provider.",
	},
	"status_revoked_since": {
		"Oggi è revocato. Non si sa se lo era già nel giorno richiesto.", "Chiedi all’ente la data della revoca.",
		"It is revoked today. Whether it was on the day asked about is not known.", "Ask the provider for the date of the revocation.",
	},
	"status_suspended_since": {
		"Oggi è sospeso. Non si sa se lo era già nel giorno richiesto.", "Chiedi all’ente.",
		"It is suspended today. Whether it was on the day asked about is not known.", "Ask the provider.",
	},
	"status_valid_then": {
		"Oggi non è revocato, e una revoca è definitiva: non lo era neanche nel giorno richiesto.", "",
		"It is not revoked today, and a revocation is final: it was not on the day asked about either.", "",
	},
	"status_not_revoked_then": {
		"Oggi non è revocato, e una revoca è definitiva: non lo era neanche nel giorno richiesto. Se quel giorno era sospeso, l’elenco non lo dice.", "Se questo conta, chiedilo all’ente.",
		"It is not revoked today, and a revocation is final: it was not on the day asked about either. Whether it was suspended on that day, the list does not say.", "If that matters, ask the provider.",
	},
	"status_none": {
		"L’attestato non dice dove controllare se è stato revocato.", "Se è importante, chiedi all’ente.",
		"The credential does not say where to look whether it was revoked.", "If it matters, ask the provider.",
	},
	"status_not_asked": {"Non abbiamo chiesto se è revocato: nessuno garantisce per chi ha sigillato.", "", "We did not ask whether it was revoked: nobody vouches for the sealer.", ""},
	"status_unsupported": {
		"Non sappiamo leggere il modo in cui è pubblicato lo stato.", "Chiedi all’ente se è ancora valido.",
		"We cannot read the way in which the status is published.", "Ask the provider whether it still holds.",
	},
	"status_offline": {
		"Senza rete non si può sapere se è stato revocato.", "Ripeti la verifica con la rete.",
		"Without a network nobody can know whether it was revoked.", "Repeat the check with a network.",
	},
	"status_unreachable": {
		"L’elenco degli attestati revocati non risponde.", "Riprova tra qualche minuto, o chiedi all’ente.",
		"The list of revoked credentials does not answer.", "Try again in a few minutes, or ask the provider.",
	},
	"status_refused": {
		"L’elenco degli attestati revocati sta a un indirizzo che non interroghiamo.", "Verifica sul sito dell’ente, o chiedi all’ente.",
		"The list of revoked credentials is at an address that we do not ask.", "Check on the provider’s own site, or ask the provider.",
	},
	"status_stale": {
		"L’elenco degli attestati revocati è vecchio.", "Riprova più tardi, o chiedi all’ente.",
		"The list of revoked credentials is out of date.", "Try again later, or ask the provider.",
	},
	"status_list_unreadable": {
		"L’elenco degli attestati revocati non si può leggere.", "Chiedi all’ente se l’attestato è ancora valido.",
		"The list of revoked credentials cannot be read.", "Ask the provider whether the credential still holds.",
	},
	"status_list_damaged": {
		"L’elenco degli attestati revocati è troppo grande, o è rovinato.", "Riprova più tardi, o chiedi all’ente.",
		"The list of revoked credentials is too large, or damaged.", "Try again later, or ask the provider.",
	},
	"status_list_untrusted": {
		"L’elenco degli attestati revocati non è sigillato dallo stesso ente.", "Contatta l’ente per una via che conosci già.",
		"The list of revoked credentials is not signed by the same provider.", "Contact the provider by a way you already know.",
	},
	"status_list_swapped": {
		"È stato pubblicato un elenco diverso da quello indicato nell’attestato.", "Contatta l’ente per una via che conosci già.",
		"Another list was published than the one the credential names.", "Contact the provider by a way you already know.",
	},
	"status_index": {
		"La posizione nell’elenco degli attestati revocati non esiste.", "Contatta l’ente.",
		"The position in the list of revoked credentials does not exist.", "Contact the provider.",
	},
	"schema_not_checked": {"Il formato non è stato esaminato: nessuno garantisce per chi ha sigillato.", "", "The format was not examined: nobody vouches for the sealer.", ""},
	"schema_several": {
		"Il file attesta {count} cose, e qui se ne vedono solo {shown}.", "Chiedi all’ente, o usa il visualizzatore europeo.",
		"The file attests {count} things, and only {shown} of them are shown here.", "Ask the provider, or use the European viewer.",
	},
	"schema_ambiguous": {
		"Il contenuto si può leggere in due modi ({first}): non si sa quale sia quello giusto.", "Chiedi all’ente un nuovo file.",
		"The content can be read in two ways ({first}): which one is right is not known.", "Ask the provider for a new file.",
	},
	"schema_conforms": {"Il contenuto rispetta il formato europeo.", "", "The content keeps to the European format.", ""},
	"schema_deviates": {
		"Il contenuto si scosta dal formato europeo in {count} punti ({first}). Il sigillo resta buono.", "",
		"The content deviates from the European format in {count} points ({first}). The seal still holds.", "",
	},
	"holder_not_bound": {
		"La verifica non dice chi hai davanti: l’attestato è di {name}.", "Confronta il nome con un documento di identità.",
		"The check does not say who is in front of you: the credential is that of {name}.", "Compare the name with an identity document.",
	},
	"holder_matches": {
		"Quello che hai scritto corrisponde a quello che l’attestato dice di {name}.", "Guarda anche che il documento sia della persona che hai davanti.",
		"What you typed is what the credential says of {name}.", "See also that the document is that of the person in front of you.",
	},
	"holder_differs": {
		"Quello che hai scritto non corrisponde a quello che l’attestato dice di {name}.",
		"Confronta quello che hai scritto con il documento. Se è giusto, non accettare l’attestato come prova per questa persona e chiedi all’ente.",
		"What you typed is not what the credential says of {name}.",
		"Compare what you typed with the document. If it is right, do not accept the credential as proof for this person, and ask the provider.",
	},
	"holder_no_data": {
		"L’attestato non contiene quello che hai scritto, quindi non si può confrontare.", "Confronta il nome, {name}, con un documento di identità.",
		"The credential does not hold what you typed, so it cannot be compared.", "Compare the name, {name}, with an identity document.",
	},
	"unknown": {"Questo controllo non è stato fatto.", "", "This check was not made.", ""},
}
