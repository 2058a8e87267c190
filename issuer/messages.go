package issuer

import (
	"fmt"

	"attesta/credentials"
	"attesta/intake"
)

// finding says what only a look into the registry can tell about a row.
func finding(row intake.Completion, column, code, value string) intake.Finding {
	f := intake.Finding{Line: row.Line, RowID: row.RowID, Column: column, Code: code, Value: value, Severity: intake.Error}
	f.Message, f.Remedy = words(code, value)
	return f
}

func words(code, value string) (message, remedy credentials.Text) {
	text := func(it, en string) credentials.Text { return credentials.Text{"it": it, "en": en} }
	switch code {
	case "unknown_learner":
		return text("questa persona non è nell’elenco", "this person is not in the class list"),
			text("controlla il codice, o importa prima l’elenco con attesta import --learners", "check the reference, or import the class list first with attesta import --learners")
	case "unknown_module":
		return text("questo modulo non è nel catalogo", "this module is not in the catalogue"),
			text("controlla il codice, o importa prima il catalogo con attesta import --catalogue", "check the code, or import the catalogue first with attesta import --catalogue")
	case "accreditation_expired":
		return text("l’accreditamento dell’ente oggi non è valido: vale dal/al "+value, "the provider's accreditation does not hold today: it holds for "+value),
			text("aggiorna l’accreditamento dell’ente prima di rilasciare", "update the provider's accreditation before issuing")
	case "duplicate_of_existing":
		return text("per questa persona, modulo ed edizione c’è già un attestato con altri dati: "+value, "for this person, module and edition there is a credential with other data already: "+value),
			text("correggi la riga; se è sbagliato l’attestato, revocalo e rilascia in una nuova edizione", "mend the row; if the credential is wrong, revoke it and issue in another edition")
	case "score_below_rule":
		return text("esito positivo con un punteggio sotto la soglia della prova: "+value, "passed with a score below the rule of the assessment: "+value),
			text("decide la colonna result; controlla che sia giusta", "the column result decides; check that it is right")
	case "document_incomplete":
		return text("l’attestato non sarebbe completo: "+value, "the credential would not be complete: "+value),
			text("completa il modulo o l’ente e importalo di nuovo", "complete the module or the provider and import it again")
	}
	return text(code, code), text("", "")
}

// ReasonWords says a reason for which a row gives no credential.
func ReasonWords(o Outcome) credentials.Text {
	switch o.Reason {
	case "withdrawn":
		return credentials.Text{"it": "la persona si è ritirata", "en": "the person withdrew"}
	case "failed":
		return credentials.Text{"it": "la prova non è superata", "en": "the assessment was not passed"}
	case "below_attendance":
		return credentials.Text{"it": "la frequenza è sotto il minimo del modulo", "en": "attendance is below the module's minimum"}
	}
	for _, f := range o.Findings {
		if f.Code == o.Reason {
			return credentials.Text{
				"it": fmt.Sprintf("%s. %s", f.Message["it"], f.Remedy["it"]),
				"en": fmt.Sprintf("%s. %s", f.Message["en"], f.Remedy["en"]),
			}
		}
	}
	return credentials.Text{"it": o.Reason, "en": o.Reason}
}
