package verifier

// german says every reason: what was found and what to do.
var german = map[string][2]string{
	"format_edc":       {"Es ist ein lesbarer europäischer digitaler Nachweis (EDC).", ""},
	"format_empty":     {"Es gibt nichts zu prüfen: Die Datei ist leer.", "Laden Sie die Datei hoch, die auf .jsonld endet, oder öffnen Sie den Link des QR-Codes."},
	"format_too_large": {"Die Datei ist für einen Nachweis zu groß.", "Laden Sie nur die Datei .jsonld hoch, höchstens 4 MB."},
	"format_not_json":  {"Das ist kein digitaler Nachweis: Der Inhalt ist nicht lesbar.", "Bitten Sie die Person um die unveränderte Originaldatei .jsonld."},
	"format_not_sealed": {
		"Die Datei trägt kein elektronisches Siegel: Jeder könnte sie geschrieben haben.",
		"Bitten Sie die Person um die Originaldatei .jsonld oder um den QR-Code.",
	},
	"format_header":      {"Das Siegel ist nicht so geschrieben, wie es sein muss, und kann nicht angenommen werden.", "Bitten Sie den Aussteller um eine neue Datei."},
	"format_certificate": {"Das Zertifikat des Siegels fehlt oder passt nicht.", "Bitten Sie den Aussteller um eine neue Datei."},
	"format_payload":     {"Der gesiegelte Inhalt ist kein europäischer digitaler Nachweis.", "Bitten Sie die Person um die Originaldatei .jsonld."},
	"format_unreadable":  {"Der Inhalt lässt sich nicht lesen.", "Bitten Sie die Person um die Originaldatei .jsonld."},
	"seal_intact":        {"Das Siegel ist unversehrt: Seit dem {at} hat sich der Inhalt nicht geändert.", ""},
	"seal_proven":        {"Das Siegel ist unversehrt. {by} bestätigt, dass es am {at} schon da war; seitdem hat sich der Inhalt nicht geändert.", ""},
	"seal_content_stamp": {"Der Zeitstempel im Siegel gilt einem anderen Inhalt.", "Verlassen Sie sich nicht auf diese Datei. Wenden Sie sich an den Aussteller."},
	"seal_broken": {
		"Das Siegel ist gebrochen: Der Inhalt wurde verändert, oder das Siegel ist gefälscht.",
		"Verlassen Sie sich nicht auf diese Datei. Bitten Sie um das Original, oder wenden Sie sich an den Aussteller.",
	},
	"seal_in_future": {"Das Siegel trägt ein Datum in der Zukunft ({at}).", "Prüfen Sie die Uhr dieses Computers, oder wenden Sie sich an den Aussteller."},
	"issuer_demonstration": {
		"Das Siegel stammt von {name}, mit einem Schlüssel zur Demonstration: Nur diese Installation bürgt dafür, keine Stelle von außen. Es ist kein qualifiziertes Siegel.",
		"Nutzen Sie es, um den Dienst auszuprobieren, nicht, um zu entscheiden.",
	},
	"issuer_advanced": {"Das Siegel stammt von {name}. {anchor} bürgt dafür. Es ist ein fortgeschrittenes Siegel.", ""},
	"issuer_qualified": {
		"Das Siegel stammt von {name}. Es ist ein qualifiziertes elektronisches Siegel: {anchor}, auf der Vertrauensliste der Europäischen Union, bürgt dafür.",
		"",
	},
	"issuer_qualified_certificate": {
		"Das Siegel stammt von {name}. Es ist ein fortgeschrittenes Siegel mit qualifiziertem Zertifikat: {anchor}, auf der Vertrauensliste der Europäischen Union, bürgt dafür.",
		"",
	},
	"issuer_unrecognised": {
		"Das Siegel gibt an, von {name} zu stammen, aber niemand, den wir kennen, bürgt dafür. Unbekannt heißt nicht gefälscht.",
		"Wenden Sie sich an den Aussteller auf einem Weg, den Sie schon kennen, oder prüfen Sie auf dessen eigener Website.",
	},
	"issuer_mismatch": {
		"Der im Nachweis genannte Aussteller ({name}) ist nicht der des Siegels ({sealer}).",
		"Verlassen Sie sich nicht auf diese Datei. Wenden Sie sich an den Aussteller.",
	},
	"issuer_nameless":    {"Das Zertifikat des Siegels nennt keine Organisation.", "Bitten Sie den Aussteller um eine neue Datei."},
	"issuer_certificate": {"Das Zertifikat von {name} durfte für dieses Siegel nicht verwendet werden.", "Wenden Sie sich an den Aussteller."},
	"issuer_key_revoked": {"Der Schlüssel von {name} gilt seit dem {on} nicht mehr.", "Verlassen Sie sich nicht auf diese Datei. Wenden Sie sich an den Aussteller."},
	"issuer_key_revoked_since": {
		"Der Schlüssel von {name} gilt seit dem {on} nicht mehr. Dass das Siegel älter ist, sagt nur das Siegel selbst.",
		"Bitten Sie den Aussteller um eine Bestätigung.",
	},
	"issuer_key_revoked_later": {"Der Schlüssel von {name} gilt seit dem {on} nicht mehr. Dieses Siegel ist älter: {by} bestätigt es.", ""},
	"issuer_certificate_ended": {
		"Das Zertifikat von {name} oder das der Stelle, die es ausgegeben hat, endete am {on}. Dass das Siegel älter ist, sagt nur das Siegel selbst.",
		"Bitten Sie den Aussteller um eine Datei mit Zeitstempel oder um eine Bestätigung.",
	},
	"accreditation_then_and_now": {"{name} war akkreditiert, als der Nachweis ausgestellt wurde ({then}), und ist es {today}: So sagt es {authority}.", ""},
	"accreditation_ended": {
		"Laut {authority} war {name} akkreditiert, als der Nachweis ausgestellt wurde ({then}): ja; {today}: nein, die Akkreditierung endete am {since}.",
		"",
	},
	"accreditation_suspended": {
		"Laut {authority} war {name} akkreditiert, als der Nachweis ausgestellt wurde ({then}): ja; {today}: nein, die Akkreditierung ist seit dem {since} ausgesetzt.",
		"",
	},
	"accreditation_ended_unproven": {
		"Laut {authority} war {name} an dem Tag akkreditiert, an dem der Nachweis nach eigener Angabe ausgestellt wurde ({then}): ja; {today}: nein, die Akkreditierung endete am {since}. Dass das Siegel älter ist, sagt nur das Siegel selbst.",
		"Wenn es wichtig ist, bitten Sie den Aussteller um eine Kopie mit Zeitstempel oder um eine Bestätigung des Datums.",
	},
	"accreditation_suspended_unproven": {
		"Laut {authority} war {name} an dem Tag akkreditiert, an dem der Nachweis nach eigener Angabe ausgestellt wurde ({then}): ja; {today}: nein, die Akkreditierung ist seit dem {since} ausgesetzt. Dass das Siegel älter ist, sagt nur das Siegel selbst.",
		"Wenn es wichtig ist, bitten Sie den Aussteller um eine Kopie mit Zeitstempel oder um eine Bestätigung des Datums.",
	},
	"accreditation_gap_unproven": {
		"Laut {authority} war {name} an dem Tag akkreditiert, an dem der Nachweis nach eigener Angabe ausgestellt wurde ({then}), und ist es {today}. Eine Zeit lang, ab dem {since}, war es nicht so: Dass das Siegel älter ist, sagt nur das Siegel selbst.",
		"Wenn es wichtig ist, bitten Sie den Aussteller um eine Kopie mit Zeitstempel oder um eine Bestätigung des Datums.",
	},
	"accreditation_then_list_stale": {
		"{name} war akkreditiert, als der Nachweis ausgestellt wurde ({then}): So sagt es {authority}. Ob es {today} so ist, ist nicht bekannt: Die Liste reicht bis zum {speaks}.",
		"Wenn es wichtig ist, sehen Sie auf der Website der akkreditierenden Stelle nach.",
	},
	"accreditation_list_stale": {
		"Ob {name} akkreditiert war, als der Nachweis ausgestellt wurde ({then}), ist nicht bekannt: Die Liste von {authority} reicht bis zum {speaks}.",
		"Wenn Sie einen akkreditierten Aussteller brauchen, sehen Sie auf der Website der akkreditierenden Stelle nach.",
	},
	"accreditation_not_then": {
		"Als der Nachweis ausgestellt wurde ({then}), war {name} NICHT akkreditiert: So sagt es {authority}. Die Akkreditierung hatte am {since} geendet.",
		"Bitten Sie den Aussteller oder die akkreditierende Stelle um eine Erklärung.",
	},
	"accreditation_not_yet": {
		"Als der Nachweis ausgestellt wurde ({then}), war {name} NICHT akkreditiert: So sagt es {authority}. Die Akkreditierung beginnt erst am {since}.",
		"Bitten Sie den Aussteller oder die akkreditierende Stelle um eine Erklärung.",
	},
	"accreditation_suspended_then": {
		"Als der Nachweis ausgestellt wurde ({then}), war die Akkreditierung von {name} AUSGESETZT, seit dem {since}: So sagt es {authority}.",
		"Bitten Sie den Aussteller oder die akkreditierende Stelle um eine Erklärung.",
	},
	"accreditation_outside": {
		"{name} steht in der Liste von {authority}, aber die Akkreditierung gilt NICHT für einen Nachweis wie diesen.",
		"Wenn Sie einen dafür akkreditierten Aussteller brauchen, fragen Sie die akkreditierende Stelle.",
	},
	"accreditation_limited": {
		"{name} war am {then} akkreditiert, mit Einschränkungen: So sagt es {authority}. Der Nachweis sagt nicht genug, um zu erkennen, ob sie ihn betreffen.",
		"Wenn Sie einen dafür akkreditierten Aussteller brauchen, fragen Sie die akkreditierende Stelle.",
	},
	"accreditation_mandate": {
		"{name} war am {then} akkreditiert: So sagt es {authority}. Dass {sealer} im Auftrag siegeln darf, sagt nur, wer siegelt.",
		"Wenn es wichtig ist, bitten Sie {name} um eine Bestätigung.",
	},
	"accreditation_not_known": {
		"Von einer Akkreditierung des Ausstellers ist nichts bekannt: Keine Liste, die wir haben, nennt ihn.",
		"Wenn Sie einen akkreditierten Aussteller brauchen, sehen Sie im Verzeichnis der Region nach.",
	},
	"accreditation_claimed": {
		"Der Nachweis gibt eine Akkreditierung an ({register}). Keine Liste, die wir haben, bestätigt sie.",
		"Wenn Sie einen akkreditierten Aussteller brauchen, sehen Sie im Verzeichnis der Region nach.",
	},
	"accreditation_not_checked": {"Die Akkreditierung wurde nicht geprüft: Niemand bürgt für die Stelle, die gesiegelt hat.", ""},
	"validity_no_end":           {"Der Nachweis ist ab dem {from} gültig und läuft nicht ab.", ""},
	"validity_until":            {"Der Nachweis ist bis zum {on} gültig.", ""},
	"validity_expired":          {"Der Nachweis ist am {on} abgelaufen.", "Fragen Sie, ob es einen neueren Nachweis gibt."},
	"validity_not_yet":          {"Der Nachweis ist erst ab dem {on} gültig.", "Er zählt ab diesem Tag, nicht vorher."},
	"validity_sealed_later":     {"Am gefragten Tag gab es den Nachweis noch nicht: Er wurde am {on} gesiegelt.", ""},
	"validity_unstated":         {"Der Nachweis sagt nicht, ab wann er gültig ist.", "Bitten Sie den Aussteller um eine neue Datei."},
	"status_not_yet":            {"Niemand kann heute wissen, ob der Nachweis am gefragten Tag noch gilt.", "Wiederholen Sie die Prüfung an diesem Tag."},
	"status_valid":              {"Der Nachweis ist weder widerrufen noch ausgesetzt.", ""},
	"status_revoked":            {"Der Aussteller hat den Nachweis widerrufen: Er gilt nicht mehr.", "Fragen Sie den Aussteller oder die Person nach dem Grund."},
	"status_suspended":          {"Der Aussteller hat den Nachweis ausgesetzt: Vorerst gilt er nicht.", "Versuchen Sie es später noch einmal, oder fragen Sie den Aussteller."},
	"status_revoked_since":      {"Heute ist der Nachweis widerrufen. Ob er es am gefragten Tag schon war, ist nicht bekannt.", "Fragen Sie den Aussteller nach dem Datum des Widerrufs."},
	"status_suspended_since":    {"Heute ist der Nachweis ausgesetzt. Ob er es am gefragten Tag schon war, ist nicht bekannt.", "Fragen Sie den Aussteller."},
	"status_valid_then":         {"Heute ist der Nachweis nicht widerrufen, und ein Widerruf ist endgültig: Also war er es auch am gefragten Tag nicht.", ""},
	"status_not_revoked_then": {
		"Heute ist der Nachweis nicht widerrufen, und ein Widerruf ist endgültig: Also war er es auch am gefragten Tag nicht. Ob er an diesem Tag ausgesetzt war, sagt die Liste nicht.",
		"Wenn das wichtig ist, fragen Sie den Aussteller.",
	},
	"status_none":        {"Der Nachweis sagt nicht, wo man nachsehen kann, ob er widerrufen wurde.", "Wenn es wichtig ist, fragen Sie den Aussteller."},
	"status_not_asked":   {"Wir haben nicht gefragt, ob der Nachweis widerrufen ist: Niemand bürgt für die Stelle, die gesiegelt hat.", ""},
	"status_unsupported": {"Wir können die Form nicht lesen, in der der Status veröffentlicht wird.", "Fragen Sie den Aussteller, ob der Nachweis noch gilt."},
	"status_offline":     {"Ohne Netz kann niemand wissen, ob der Nachweis widerrufen wurde.", "Wiederholen Sie die Prüfung mit Netz."},
	"status_unreachable": {"Die Liste der widerrufenen Nachweise antwortet nicht.", "Versuchen Sie es in einigen Minuten noch einmal, oder fragen Sie den Aussteller."},
	"status_refused": {
		"Die Liste der widerrufenen Nachweise liegt unter einer Adresse, die wir nicht abfragen.",
		"Prüfen Sie auf der Website des Ausstellers, oder fragen Sie ihn.",
	},
	"status_stale":           {"Die Liste der widerrufenen Nachweise ist veraltet.", "Versuchen Sie es später noch einmal, oder fragen Sie den Aussteller."},
	"status_list_unreadable": {"Die Liste der widerrufenen Nachweise ist nicht lesbar.", "Fragen Sie den Aussteller, ob der Nachweis noch gilt."},
	"status_list_damaged":    {"Die Liste der widerrufenen Nachweise ist zu groß oder beschädigt.", "Versuchen Sie es später noch einmal, oder fragen Sie den Aussteller."},
	"status_list_untrusted": {
		"Die Liste der widerrufenen Nachweise ist nicht vom selben Aussteller unterschrieben.",
		"Wenden Sie sich an den Aussteller auf einem Weg, den Sie schon kennen.",
	},
	"status_list_swapped": {
		"Veröffentlicht ist eine andere Liste als die, die der Nachweis nennt.",
		"Wenden Sie sich an den Aussteller auf einem Weg, den Sie schon kennen.",
	},
	"status_index":       {"Die Stelle in der Liste der widerrufenen Nachweise gibt es nicht.", "Wenden Sie sich an den Aussteller."},
	"schema_not_checked": {"Das Format wurde nicht untersucht: Niemand bürgt für die Stelle, die gesiegelt hat.", ""},
	"schema_several": {
		"Die Datei bescheinigt {count} Dinge, und hier sind nur {shown} davon zu sehen.",
		"Fragen Sie den Aussteller, oder nutzen Sie den europäischen Betrachter.",
	},
	"schema_ambiguous": {"Der Inhalt lässt sich auf zwei Arten lesen ({first}): Welche stimmt, ist nicht bekannt.", "Bitten Sie den Aussteller um eine neue Datei."},
	"schema_conforms":  {"Der Inhalt hält das europäische Format ein.", ""},
	"schema_deviates":  {"Der Inhalt weicht an {count} Stellen vom europäischen Format ab ({first}). Das Siegel ist trotzdem gut.", ""},
	"holder_not_bound": {"Die Prüfung sagt nicht, wer vor Ihnen steht: Der Nachweis ist ausgestellt für {name}.", "Vergleichen Sie den Namen mit einem Ausweis."},
	"holder_matches": {
		"Was Sie eingegeben haben, stimmt mit dem überein, was der Nachweis über {name} sagt.",
		"Achten Sie auch darauf, dass der Ausweis der Person vor Ihnen gehört.",
	},
	"holder_differs": {
		"Was Sie eingegeben haben, stimmt nicht mit dem überein, was der Nachweis über {name} sagt.",
		"Vergleichen Sie Ihre Eingabe mit dem Ausweis. Wenn sie stimmt, nehmen Sie den Nachweis für diese Person nicht als Beleg an, und fragen Sie den Aussteller.",
	},
	"holder_no_data": {
		"Der Nachweis enthält nicht, was Sie eingegeben haben, und lässt sich damit nicht vergleichen.",
		"Vergleichen Sie den Namen, {name}, mit einem Ausweis.",
	},
	"format_brief": {"Es ist ein lesbarer kompakter QR-Code: die Kurzform eines Nachweises.", ""},
	"format_brief_unreadable": {
		"Es ist ein kompakter QR-Code, aber er lässt sich nicht lesen: Ein Teil fehlt oder wurde verändert.",
		"Scannen Sie den ganzen QR-Code noch einmal, oder bitten Sie die Person um die Originaldatei oder den gewöhnlichen QR-Code.",
	},
	"seal_brief_intact": {"Das Siegel des kompakten QR-Codes ist unversehrt: Seit er gemacht wurde, am {at}, hat sich der Inhalt nicht geändert.", ""},
	"seal_brief_broken": {
		"Das Siegel des kompakten QR-Codes ist gebrochen: Der Inhalt wurde verändert, oder das Siegel ist gefälscht.",
		"Verlassen Sie sich nicht auf diesen QR-Code. Bitten Sie um die Originaldatei, oder wenden Sie sich an den Aussteller.",
	},
	"seal_brief_key": {
		"Das Zertifikat des Schlüssels, der diesen kompakten QR-Code gesiegelt hat, liegt nicht vor. Ob er echt ist, ist deshalb nicht bekannt.",
		"Prüfen Sie ihn mit Netz auf der Website des Ausstellers, oder bitten Sie die Person um die Originaldatei.",
	},
	"schema_brief": {
		"Es ist die Kurzform: Das ganze Dokument wurde nicht gesehen. Seine SHA-256-Prüfsumme ist {digest}.",
		"Um den ganzen Nachweis zu sehen, bitten Sie die Person um die Datei, oder scannen Sie den gewöhnlichen QR-Code.",
	},
	"schema_brief_beside": {"Es ist die Kurzform eines Dokuments, das zugleich vorgelegt wurde: Die SHA-256-Prüfsumme ist dieselbe ({digest}).", ""},
	"holder_brief": {
		"Ein kompakter QR-Code enthält weder das Geburtsdatum noch eine Steuernummer. Was Sie eingegeben haben, lässt sich deshalb nicht vergleichen.",
		"Vergleichen Sie den Namen, {name}, mit einem Ausweis, oder bitten Sie die Person um die Datei des Nachweises.",
	},
	"format_sdjwt": {"Es ist ein lesbarer Nachweis im Format für digitale Brieftaschen (SD-JWT VC).", ""},
	"format_sdjwt_unreadable": {
		"Es ist ein Nachweis für digitale Brieftaschen (SD-JWT VC), aber er verletzt die Regeln: Ein Teil fehlt, ist zu viel oder wurde verändert.",
		"Bitten Sie die Person, ihn noch einmal ganz aus ihrer Brieftasche vorzulegen.",
	},
	"format_sdjwt_key": {
		"Es ist ein Nachweis für digitale Brieftaschen (SD-JWT VC), der auf eine hier nicht lesbare Art signiert ist: Ob er echt ist, ist nicht bekannt.",
		"Prüfen Sie ihn mit dem Dienst, den der Aussteller nennt, oder bitten Sie die Person um die Originaldatei .jsonld.",
	},
	"format_vcjwt": {
		"Es ist ein Nachweis anderer Art (W3C in einem Token, etwa ein Open Badge 3.0), die hier nicht gelesen wird: Ob er echt ist, ist nicht bekannt.",
		"Prüfen Sie ihn mit dem Dienst, den der Aussteller nennt, oder bitten Sie die Person um die Originaldatei .jsonld.",
	},
	"format_token": {
		"Es ist ein Token anderer Art und kein signierter Nachweis.",
		"Bitten Sie die Person um die Originaldatei des Nachweises.",
	},
	"seal_sdjwt_intact": {"Die Signatur des Ausstellers ist unversehrt: Was zu sehen ist, hat sich nicht geändert. Was die Person nicht zeigen wollte, ist nicht zu sehen.", ""},
	"seal_sdjwt_broken": {
		"Die Signatur des Ausstellers hält nicht: Der Inhalt wurde verändert, oder die Signatur ist gefälscht.",
		"Verlassen Sie sich nicht auf diesen Nachweis. Lassen Sie ihn noch einmal vorlegen, oder wenden Sie sich an den Aussteller.",
	},
	"seal_sdjwt_holder": {
		"Der Beweis mit dem Schlüssel der Person hält nicht: Er ist von einem anderen Schlüssel oder für eine andere Vorlage gemacht.",
		"Nehmen Sie ihn nicht an. Bitten Sie die Person, ihn noch einmal aus ihrer Brieftasche vorzulegen.",
	},
	"schema_sdjwt":        {"Es ist ein Nachweis der Art {type}. Die Regeln dieser Art wurden nicht geprüft.", ""},
	"schema_sdjwt_issuer": {"Es ist ein Nachweis der Art {type}, deren Regeln nicht geprüft wurden. Die Adresse, die er für den Aussteller angibt ({issuer}), steht nicht im Zertifikat: Wer das ist, sagt nur das Zertifikat.", ""},
	"holder_hidden": {
		"Was die Person gezeigt hat, enthält nicht, was Sie eingegeben haben. Es lässt sich deshalb nicht vergleichen.",
		"Lassen Sie den Nachweis noch einmal mit dieser Angabe vorlegen, oder vergleichen Sie den Namen mit einem Ausweis.",
	},
	"holder_undisclosed": {
		"Die Prüfung sagt nicht, wer vor Ihnen steht: Die Person hat ihren Namen nicht gezeigt.",
		"Wenn Sie ihn brauchen, lassen Sie den Nachweis noch einmal mit dem Namen vorlegen.",
	},
	"holder_key_shown": {
		"Der Nachweis gehört {name}. Wer ihn am {at} vorlegte, hatte den Schlüssel dazu; ob er Ihnen vorgelegt wurde, ist von hier aus nicht bekannt.",
		"Vergleichen Sie den Namen mit einem Ausweis.",
	},
	"issuer_address": {
		"Das Siegel stammt von {name}, und {anchor} bürgt dafür. Der Nachweis nennt aber für den Aussteller eine Adresse ({address}), die nicht unter denen des Zertifikats ist: Ob es derselbe ist, ist nicht bekannt.",
		"Wenden Sie sich auf einem Weg, den Sie schon kennen, an den Aussteller.",
	},
	"accreditation_undated": {
		"{name} steht auf der Liste von {authority}. Der Nachweis zeigt nicht, an welchem Tag er ausgestellt wurde; ob {name} damals akkreditiert war, ist deshalb nicht bekannt.",
		"Wenn es darauf ankommt, lassen Sie den Nachweis noch einmal mit dem Tag der Ausstellung vorlegen.",
	},
	"validity_unread": {"Der Nachweis hat einen letzten Tag, der auf eine hier nicht lesbare Art geschrieben ist: Ob er abgelaufen ist, ist nicht bekannt.", "Fragen Sie den Aussteller, bis wann er gilt."},
	"holder_key_unread": {
		"Mit dem Nachweis kam ein Beweis mit dem Schlüssel der Person, der auf eine hier nicht lesbare Art gemacht ist: Ob er hält, ist nicht bekannt.",
		"Vergleichen Sie den Namen mit einem Ausweis, und bitten Sie den Aussteller, den Nachweis zu bestätigen.",
	},
	"unknown": {"Dieser Prüfschritt wurde nicht gemacht.", ""},
}
