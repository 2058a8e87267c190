package presentation

// Advice that several problems share.
const (
	askDe = "Bitten Sie die Person um die Originaldatei des Nachweises oder um den Link unter dem QR-Code."
	pdfDe = "Wenn auf der Seite ein QR-Code ist, machen Sie ein Foto oder Bildschirmfoto davon, und laden Sie dieses hoch. Oder bitten Sie die Person um die Originaldatei."
	zipDe = "Öffnen Sie das Archiv auf Ihrem Computer, und laden Sie die Dateien einzeln oder in Gruppen hoch."
)

// german says every problem: what was found and what to do.
var german = map[string][2]string{
	"empty": {"Es gibt nichts zu lesen.", askDe},
	"large": {"Die Datei ist zu groß: Ein digitaler Nachweis hat höchstens 4 MB.", askDe},
	"late":  {"Die Zeit reichte nicht, um es zu lesen: Es waren zu viele Dateien auf einmal.", "Wiederholen Sie es mit weniger Dateien."},
	"many":  {"Ab hier gibt es noch mehr zu prüfen, das nicht gelesen wurde.", "Wiederholen Sie es mit weniger Dateien."},
	"handle_unknown": {
		"Der Code gehört zu keinem Nachweis, der hier ausgestellt wurde.",
		"Scannen Sie den QR-Code noch einmal, oder bitten Sie die Person um die Originaldatei.",
	},
	"handle_erased":   {"Der Nachweis wurde zusammen mit den Daten der Person gelöscht.", "Wer die Datei noch hat, kann sie vorzeigen."},
	"office":          {"Das ist ein Büro-Dokument (Word, Excel oder Ähnliches), das keinen gesiegelten Nachweis trägt.", askDe},
	"zip_damaged":     {"Das ZIP-Archiv ist beschädigt.", "Erstellen Sie es neu, oder laden Sie die Dateien ohne Archiv hoch."},
	"zip_empty":       {"Das ZIP-Archiv ist leer.", askDe},
	"zip_encrypted":   {"Die Datei im ZIP-Archiv ist mit einem Passwort geschützt.", zipDe},
	"zip_entries":     {"Das ZIP-Archiv hat mehr als 1000 Dateien.", "Teilen Sie es in kleinere Archive."},
	"zip_large":       {"Das ZIP-Archiv enthält mehr, als wir auf einmal lesen.", "Teilen Sie es in kleinere Archive, mit höchstens 50 MB Inhalt."},
	"zip_method":      {"Die Datei im ZIP-Archiv ist auf eine Art gepackt, die wir nicht lesen.", zipDe},
	"zip_nested":      {"Das ist ein Archiv in einem Archiv, und wir öffnen es nicht.", zipDe},
	"picture_damaged": {"Das Bild ist beschädigt und lässt sich nicht lesen.", "Machen Sie das Foto oder Bildschirmfoto noch einmal."},
	"picture_kind":    {"Das Bild ist von einer Art, die wir nicht lesen.", "Speichern Sie es als JPEG oder PNG, oder machen Sie ein Bildschirmfoto davon."},
	"picture_large": {
		"Das Bild ist zu groß: Wir lesen bis zu 8 MB und 40 Millionen Bildpunkte.",
		"Schneiden Sie den QR-Code aus, oder machen Sie ein Bildschirmfoto davon.",
	},
	"png_animated": {
		"Das Bild bewegt sich: Der QR-Code, den Sie sehen, ist vielleicht nicht der, den wir lesen würden.",
		"Machen Sie ein Bildschirmfoto davon, und laden Sie dieses hoch.",
	},
	"png_damaged":  {"Das PNG-Bild ist beschädigt oder wurde verändert.", askDe},
	"png_trailing": {"Nach dem Ende des PNG-Bildes kommt noch etwas.", askDe},
	"qr_none": {
		"Wir haben im Bild keinen QR-Code gefunden, der sich lesen lässt.",
		"Fotografieren Sie ihn noch einmal von nahem, gerade und bei gutem Licht, oder geben Sie den Code ein, der unter dem QR-Code steht.",
	},
	"badge_form":    {"Das Bild gibt an, einen Nachweis zu enthalten, aber nicht in der vorgesehenen Form.", askDe},
	"badge_large":   {"Der Nachweis im Bild ist zu groß.", askDe},
	"badge_several": {"Im Bild sind mehrere Nachweise: Verschiedene Programme würden verschiedene zeigen.", askDe},
	"svg_damaged":   {"Das SVG-Bild ist beschädigt.", askDe},
	"svg_doctype":   {"Das SVG-Bild gibt einen Dokumenttyp an, und zur Sicherheit lesen wir es nicht.", askDe},
	"svg_none":      {"Das SVG-Bild enthält keinen Nachweis.", "Wenn im Bild ein QR-Code ist, machen Sie ein Bildschirmfoto davon, und laden Sie dieses hoch."},
	"pdf_damaged":   {"Das PDF ist beschädigt oder hält die Regeln des Formats nicht ein.", askDe},
	"pdf_encrypted": {"Das PDF ist mit einem Passwort oder durch Einschränkungen geschützt.", pdfDe},
	"pdf_filter":    {"Im PDF ist ein Anhang, der auf eine Art gepackt ist, die wir nicht lesen.", "Öffnen Sie das PDF, speichern Sie den Anhang, und laden Sie diesen hoch."},
	"pdf_large":     {"Im PDF ist mehr, als wir lesen.", "Öffnen Sie das PDF, speichern Sie den Anhang, und laden Sie diesen hoch."},
	"pdf_none":      {"An das PDF ist kein Nachweis angehängt. Was auf den Seiten steht, kann jeder schreiben, und wir prüfen es nicht.", pdfDe},
	"pdf_other":     {"An das PDF sind Dateien angehängt, aber keine davon ist ein Nachweis.", pdfDe},
	"pdf_twofold":   {"Ein Anhang des PDF ist zwei verschiedene Dateien: Verschiedene Programme würden die eine oder die andere öffnen.", askDe},
	"pdf_receipt": {
		"Das ist eine Quittung über frühere Prüfungen, kein Nachweis. Jeder kann eine schreiben, die so aussieht.",
		"Öffnen Sie sie mit einem Programm, das Unterschriften zeigt, oder wiederholen Sie die Prüfung mit den Originaldateien.",
	},
	"unknown": {"Es lässt sich nicht lesen.", askDe},
}
