package intake

import (
	"strconv"
	"strings"

	"attesta/credentials"
)

// words are the message and the remedy of a code, in Italian and English.
// {0} and {1} stand for what the reader found.
//
// Message and remedy are whole sentences: each ends in exactly one full stop,
// so that the two are joined by a space and nothing else. What comes from a
// file stands in quotation marks or brackets and never last.
type words struct{ it, en, remedyIT, remedyEN string }

func (w words) texts(args ...string) (message, remedy credentials.Text) {
	pairs := make([]string, 0, 2*len(args))
	for i, a := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", a)
	}
	fill := strings.NewReplacer(pairs...).Replace
	return credentials.Text{"it": fill(w.it), "en": fill(w.en)},
		credentials.Text{"it": fill(w.remedyIT), "en": fill(w.remedyEN)}
}

// finding describes a mistake in a cell. {0} is the cell, {1} its column.
func finding(r row, rowID, key, code string, severity Severity, l Locale) Finding {
	value := show(r.cell(key))
	w := findingWords[code]
	if l == Italian {
		if it, ok := italianRemedies[code]; ok {
			w.remedyIT, w.remedyEN = it.remedyIT, it.remedyEN
		}
	}
	message, remedy := w.texts(value, r.column(key))
	return Finding{
		Line: r.line, RowID: rowID, Column: r.column(key), Code: code, Value: value,
		Severity: severity, Message: message, Remedy: remedy,
	}
}

// fileError describes a file that cannot be read. {0} and {1} are args.
func fileError(code string, line int, column string, args ...string) *FileError {
	message, remedy := fileWords[code].texts(args...)
	return &FileError{Code: code, Line: line, Column: column, Message: message, Remedy: remedy}
}

// findingWords are read only.
var findingWords = map[string]words{
	"missing_learner": {
		"Manca il codice della persona.", "The code of the person is missing.",
		"Scrivere il codice che la persona ha nell’elenco.", "Write the code that the person has in the class list.",
	},
	"missing_module": {
		"Manca il codice del modulo.", "The module code is missing.",
		"Scrivere il codice del modulo, per esempio SN-11.", "Write the module code, for example SN-11.",
	},
	"missing_edition": {
		"Manca l’edizione.", "The edition is missing.",
		"Scrivere modulo, anno e nome, per esempio SN-11/2026/TOT25.", "Write module, year and label, for example SN-11/2026/TOT25.",
	},
	"missing_date": {
		"Manca la data di conclusione.", "The completion date is missing.",
		"Scrivere la data così: 2026-05-29.", "Write the date like this: 2026-05-29.",
	},
	"missing_result": {
		"Manca l’esito.", "The result is missing.",
		"Scrivere passed, failed o withdrawn.", "Write passed, failed or withdrawn.",
	},
	"missing_attendance": {
		"Manca la percentuale di presenza.", "The attendance is missing.",
		"Scrivere un numero da 0 a 100, per esempio 87.5.", "Write a number from 0 to 100, for example 87.5.",
	},
	"invalid_date": {
		"«{0}» non è una data che esiste o non è scritta nel modo atteso.", "“{0}” is not a day that exists, or it is not written as expected.",
		"Controllare il giorno e scriverlo così: 2026-05-29.", "Check the day and write it like this: 2026-05-29.",
	},
	"date_in_future": {
		"La data «{0}» è nel futuro.", "The date “{0}” is in the future.",
		"Scrivere il giorno in cui il modulo è finito, non più tardi di oggi.", "Write the day on which the module ended, not later than today.",
	},
	"invalid_attendance": {
		"«{0}» non è un numero.", "“{0}” is not a number.",
		"Scrivere un numero da 0 a 100 con il punto, per esempio 87.5.", "Write a number from 0 to 100 with a point, for example 87.5.",
	},
	"attendance_out_of_range": {
		"La presenza «{0}» non è tra 0 e 100.", "The attendance “{0}” is not between 0 and 100.",
		"Scrivere la percentuale, non le ore: un numero da 0 a 100.", "Write the percentage, not the hours: a number from 0 to 100.",
	},
	"unknown_result": {
		"L’esito «{0}» non è tra quelli previsti.", "The result “{0}” is not one of those expected.",
		"Scrivere passed, failed o withdrawn.", "Write passed, failed or withdrawn.",
	},
	"invalid_edition": {
		"L’edizione «{0}» non ha la forma attesa o è di un altro modulo.", "The edition “{0}” does not have the expected form, or it belongs to another module.",
		"Scrivere modulo, anno e nome, per esempio SN-11/2026/TOT25. Il modulo è quello della stessa riga.",
		"Write module, year and label, for example SN-11/2026/TOT25. The module is the one of the same row.",
	},
	"invalid_score": {
		"Il punteggio «{0}» non è un numero.", "The score “{0}” is not a number.",
		"Scrivere solo il numero, per esempio 73. Se non c’è un punteggio, lasciare vuoto.",
		"Write only the number, for example 73. If there is no score, leave it empty.",
	},
	"invalid_reference": {
		"Il codice «{0}» è troppo lungo o contiene segni che non si possono usare.", "The code “{0}” is too long or has characters that cannot be used.",
		"Copiare il codice dall’elenco, senza spazi in più e senza andare a capo.", "Copy the code from the list, without extra spaces and on one line.",
	},
	"missing_name": {
		"Mancano il nome e il cognome.", "Given name and family name are missing.",
		"Scrivere nome e cognome come sono sul documento della persona.", "Write the names as they are on the person’s identity document.",
	},
	"one_name_only": {
		"C’è solo il nome o solo il cognome.", "There is only a given name or only a family name.",
		"Se la persona ha un solo nome va bene così; altrimenti completare.", "If the person has one name only, this is fine; otherwise complete it.",
	},
	"invalid_email": {
		"«{0}» non è un indirizzo e-mail.", "“{0}” is not an e-mail address.",
		"Scrivere un indirizzo come nome@esempio.it. Se la persona non ne ha uno, lasciare vuoto.",
		"Write an address like name@example.org. If the person has none, leave it empty.",
	},
	"invalid_birth_date": {
		"La data di nascita non esiste, è nel futuro o non è scritta nel modo atteso.", "The birth date does not exist, is in the future or is not written as expected.",
		"Scrivere la data così: 1980-05-29. Se non serve nell’attestato, lasciare vuoto.", "Write the date like this: 1980-05-29. If the credential does not need it, leave it empty.",
	},
	"invalid_national_id": {
		"Il codice della persona nella colonna {1} è troppo lungo o contiene segni che non si possono usare.", "The national number in the column {1} is too long or has characters that cannot be used.",
		"Copiarlo dal documento della persona, senza spazi in più.", "Copy it from the person’s document, without extra spaces.",
	},
	"invalid_tax_code": {
		"Il codice fiscale non è giusto: forma o carattere di controllo non tornano.", "The Italian tax code is not right: its form or its check character is wrong.",
		"Copiarlo dalla tessera sanitaria. Se non serve nell’attestato, lasciare vuoto.", "Copy it from the health card. If the credential does not need it, leave it empty.",
	},
	"missing_id_country": {
		"Non è scritto quale paese ha dato il codice della persona.", "It is not said which country gave the national number.",
		"Aggiungere la colonna national_id_country con tre lettere, per esempio ITA.", "Add the column national_id_country with three letters, for example ITA.",
	},
	"unknown_language": {
		"La lingua «{0}» non è riconosciuta.", "The language “{0}” is not known.",
		"Scrivere due lettere, per esempio it, de, fr, en. Altrimenti i testi saranno in italiano.",
		"Write two letters, for example it, de, fr, en. Otherwise texts will be in Italian.",
	},
	"conflicting_learner": {
		"Il codice «{0}» è in due righe con dati diversi.", "The code “{0}” is in two rows with different data.",
		"Tenere la riga giusta e togliere l’altra, o dare a ogni persona il suo codice.",
		"Keep the right row and remove the other, or give each person their own code.",
	},
	"invalid_text": {
		"Nella colonna {1} ci sono segni che non si possono leggere, o il testo è troppo lungo.", "The column {1} has characters that cannot be read, or the text is too long.",
		"Scrivere di nuovo il testo su una sola riga.", "Write the text again on one line.",
	},
}

// italianRemedies replace a remedy where the Italian habits are accepted.
var italianRemedies = map[string]words{
	"missing_date":       {remedyIT: "Scrivere la data così: 29/05/2026.", remedyEN: "Write the date like this: 29/05/2026."},
	"invalid_date":       {remedyIT: "Controllare il giorno e scriverlo così: 29/05/2026.", remedyEN: "Check the day and write it like this: 29/05/2026."},
	"missing_result":     {remedyIT: "Scrivere idoneo, non idoneo o ritirato.", remedyEN: "Write idoneo, non idoneo or ritirato."},
	"unknown_result":     {remedyIT: "Scrivere idoneo, non idoneo o ritirato.", remedyEN: "Write idoneo, non idoneo or ritirato."},
	"missing_attendance": {remedyIT: "Scrivere un numero da 0 a 100, per esempio 87,5.", remedyEN: "Write a number from 0 to 100, for example 87,5."},
	"invalid_attendance": {remedyIT: "Scrivere un numero da 0 a 100, per esempio 87,5.", remedyEN: "Write a number from 0 to 100, for example 87,5."},
}
