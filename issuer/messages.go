package issuer

import (
	"attesta/credentials"
	"attesta/intake"
)

// finding says what only a look into the registry can tell about a row. The
// value is that of the cell; more is what else the words name.
func finding(row intake.Completion, column, code, value string, more ...string) intake.Finding {
	f := intake.Finding{Line: row.Line, RowID: row.RowID, Column: column, Code: code, Value: value, Severity: intake.Error}
	f.Message, f.Remedy = words(code, value, append(more, "", ""))
	return f
}

// words are whole sentences, as those of package intake are.
func words(code, value string, more []string) (message, remedy credentials.Text) {
	text := func(it, en string) credentials.Text { return credentials.Text{"it": it, "en": en} }
	switch code {
	case "unknown_learner":
		return text("Questa persona non è nell’elenco.", "This person is not in the class list."),
			text("Controlla il codice, o importa prima l’elenco con attesta import --learners.", "Check the reference, or import the class list first with attesta import --learners.")
	case "unknown_module":
		return text("Questo modulo non è nel catalogo.", "This module is not in the catalogue."),
			text("Controlla il codice, o importa prima il catalogo con attesta import --catalogue.", "Check the code, or import the catalogue first with attesta import --catalogue.")
	case "accreditation_expired":
		return text("L’accreditamento dell’ente oggi non vale: vale per i giorni "+more[0]+".", "The provider’s accreditation does not hold today: it holds for the days "+more[0]+"."),
			text("Aggiorna l’accreditamento dell’ente prima di rilasciare.", "Update the provider’s accreditation before issuing.")
	case "accreditation_ended", "accreditation_not_begun", "accreditation_suspended", "accreditation_outside", "accreditation_limited", "accreditation_silent", "accreditation_mandate":
		return listedWords(code, more)
	case "mandate_expired":
		return text("Il mandato a «"+more[1]+"» di sigillare per l’ente oggi non vale: vale per i giorni "+more[0]+".", "The mandate of “"+more[1]+"” to seal for the provider does not hold today: it holds for the days "+more[0]+"."),
			text("Rinnova il mandato e importa di nuovo l’ente prima di rilasciare.", "Renew the mandate and import the provider again before issuing.")
	case "duplicate_of_existing":
		return text("Per questa persona, modulo ed edizione c’è già l’attestato "+more[0]+", con un altro valore: "+more[1]+".", "For this person, module and edition there is the credential "+more[0]+" already, with another value: "+more[1]+"."),
			text("Correggi la riga; se è sbagliato l’attestato, revocalo e rilascia in una nuova edizione.", "Mend the row; if the credential is wrong, revoke it and issue in another edition.")
	case "erased":
		return text("Questo attestato è già stato rilasciato, e poi cancellato con i dati della persona.", "This credential was issued before, and then erased with the person’s data."),
			text("Se la persona deve averlo di nuovo, rilascialo in un’altra edizione.", "If the person is to have it again, issue it in another edition.")
	case "score_below_rule":
		return text("Esito positivo con punteggio "+value+", ma la prova chiede almeno "+more[0]+".", "Passed with a score of "+value+", but the assessment asks for at least "+more[0]+"."),
			text("Decide la colonna result: controlla che sia giusta.", "The column result decides: check that it is right.")
	case "second_of_module":
		return text("Questa persona ha già questo modulo da un’altra edizione: attestato "+more[0]+", edizione "+more[1]+".", "This person has this module already from another edition: credential "+more[0]+", edition "+more[1]+"."),
			text("Se è un errore, revoca uno dei due.", "If that is a mistake, revoke one of the two.")
	case "document_incomplete":
		return text("L’attestato non sarebbe completo: "+more[0]+".", "The credential would not be complete: "+more[0]+"."),
			text("Completa il modulo o l’ente e importalo di nuovo.", "Complete the module or the provider and import it again.")
	}
	return text(code+".", code+"."), text("", "")
}

// ReasonWords says, in whole sentences, why a row gave no credential.
func ReasonWords(o Outcome) credentials.Text {
	switch o.Reason {
	case "withdrawn":
		return credentials.Text{"it": "La persona si è ritirata.", "en": "The person withdrew."}
	case "failed":
		return credentials.Text{"it": "La prova non è superata.", "en": "The assessment was not passed."}
	case "below_attendance":
		return credentials.Text{"it": "La frequenza è sotto il minimo del modulo.", "en": "Attendance is below the module’s minimum."}
	}
	for _, f := range o.Findings {
		if f.Code == o.Reason {
			return credentials.Text{"it": f.Message["it"] + " " + f.Remedy["it"], "en": f.Message["en"] + " " + f.Remedy["en"]}
		}
	}
	return credentials.Text{"it": o.Reason, "en": o.Reason}
}
