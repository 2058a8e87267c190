package intake

// fileWords are read only.
var fileWords = map[string]words{
	"too_large": {
		"Il file è più grande di {0} MB.", "The file is larger than {0} MB.",
		"Dividere il file in più parti.", "Split the file into parts.",
	},
	"too_many_rows": {
		"Il file ha più di {0} righe.", "The file has more than {0} rows.",
		"Dividere il file in più parti.", "Split the file into parts.",
	},
	"empty_file": {
		"Il file è vuoto.", "The file is empty.",
		"Controllare di aver scelto il file giusto e salvarlo di nuovo.", "Check that this is the right file and save it again.",
	},
	"no_rows": {
		"Il file ha solo i titoli delle colonne e nessuna riga.", "The file has only the names of the columns and no rows.",
		"Controllare di aver scelto il file giusto e scrivere una riga per persona sotto i titoli.", "Check that this is the right file, and write one row for each person below the names.",
	},
	"not_a_table": {
		"Questo è un file Excel, PDF o di testo formattato, non una tabella CSV.", "This is an Excel, PDF or word-processor file, not a CSV table.",
		"Aprirlo e salvarlo come «CSV UTF-8».", "Open it and save it as “CSV UTF-8”.",
	},
	"nul_byte": {
		"Il file contiene dati che non sono testo.", "The file contains data that is not text.",
		"Salvarlo di nuovo come «CSV UTF-8».", "Save it again as “CSV UTF-8”.",
	},
	"damaged_utf16": {
		"Il file è danneggiato: alcune lettere sono incomplete.", "The file is damaged: some letters are incomplete.",
		"Salvarlo di nuovo come «CSV UTF-8».", "Save it again as “CSV UTF-8”.",
	},
	"mixed_encoding": {
		"Alcune lettere accentate sono danneggiate.", "Some accented letters are damaged.",
		"Correggere i nomi in questa riga e salvare come «CSV UTF-8».", "Mend the names in this line and save as “CSV UTF-8”.",
	},
	"undefined_byte": {
		"Il byte {0} non è una lettera.", "The byte {0} is not a letter.",
		"Correggere il testo in questa riga e salvare come «CSV UTF-8».", "Mend the text in this line and save as “CSV UTF-8”.",
	},
	"unknown_separator": {
		"Il separatore «{0}» della prima riga non si può usare.", "The separator “{0}” of the first line cannot be used.",
		"Usare il punto e virgola, la virgola o il tabulatore.", "Use the semicolon, the comma or the tab.",
	},
	"bare_quote": {
		"Una virgoletta è in mezzo al testo di una cella.", "There is a quotation mark in the middle of a cell.",
		"Togliere la virgoletta, o salvare la tabella di nuovo come CSV.", "Remove the mark, or save the table as CSV again.",
	},
	"open_quote": {
		"Una virgoletta si apre in questa riga e non si chiude bene.", "A quotation mark opens in this line and does not close well.",
		"Togliere la virgoletta, o salvare la tabella di nuovo come CSV.", "Remove the mark, or save the table as CSV again.",
	},
	"too_many_columns": {
		"Questa riga ha {0} colonne; il massimo è {1}.", "This line has {0} columns; the most is {1}.",
		"Togliere le colonne che non servono.", "Remove the columns that are not needed.",
	},
	"long_cell": {
		"Una cella è troppo lunga: più di {0} byte o di {1} righe. Forse una virgoletta non si chiude.",
		"A cell is too long: more than {0} bytes or {1} lines. Perhaps a quotation mark does not close.",
		"Controllare le virgolette in questa riga.", "Check the quotation marks in this line.",
	},
	"ragged_row": {
		"Questa riga ha {0} celle, ma le colonne sono {1}.", "This line has {0} cells, but there are {1} columns.",
		"Se un valore contiene il separatore, per esempio 87,5, metterlo tra virgolette; altrimenti togliere le celle in più.",
		"If a value contains the separator, for example 87,5, put it in quotation marks; otherwise remove the extra cells.",
	},
	"missing_column": {
		"Mancano le colonne: {0} (nel file ci sono: {1}).", "These columns are missing: {0} (in the file there are: {1}).",
		"Aggiungere le colonne o cambiare il loro nome nella prima riga.", "Add the columns, or rename them in the first line.",
	},
	"duplicate_column": {
		"Due colonne hanno lo stesso significato: «{0}» e «{1}».", "Two columns mean the same: “{0}” and “{1}”.",
		"Tenerne una sola.", "Keep one of them.",
	},
	"not_utf8": {
		"Il file non è in UTF-8.", "The file is not in UTF-8.",
		"Salvarlo di nuovo come UTF-8.", "Save it again as UTF-8.",
	},
	"invalid_json": {
		"Da qui il file non è JSON corretto.", "From here the file is not correct JSON.",
		"Controllare virgole, virgolette e parentesi vicino a questa riga.", "Check commas, quotation marks and brackets near this line.",
	},
	"trailing_data": {
		"Dopo la fine dei dati c’è altro testo.", "There is more text after the end of the data.",
		"Lasciare nel file un solo oggetto JSON.", "Leave one JSON object in the file.",
	},
	"too_deep": {
		"I dati sono annidati per più di {0} livelli.", "The data is nested more than {0} levels deep.",
		"Controllare le parentesi.", "Check the brackets.",
	},
	"duplicate_field": {
		"Questo campo c’è due volte.", "This field is there twice.",
		"Tenere un solo valore.", "Keep one value.",
	},
	"unknown_field": {
		"Questo campo non è previsto.", "This field is not known.",
		"Controllare come è scritto il nome, o togliere il campo.", "Check the spelling of the name, or remove the field.",
	},
	"wrong_type": {
		"Il valore non è del tipo giusto.", "The value is not of the right type.",
		"Scrivere un valore di questa forma: {0}.", "Write a value of this form: {0}.",
	},
	"unreadable_text": {
		"Il testo contiene segni che non si possono mostrare.", "The text has characters that cannot be shown.",
		"Scrivere di nuovo il testo.", "Write the text again.",
	},
	"missing_field": {
		"Manca questo valore, o non ha la forma giusta.", "This value is missing or does not have the right form.",
		"Aggiungere il valore.", "Add the value.",
	},
	"unknown_language_code": {
		"Una lingua non è indicata con due lettere minuscole.", "A language is not given by two small letters.",
		"Usare codici come it, en, de, fr.", "Use codes such as it, en, de, fr.",
	},
	"no_modules": {
		"Il file non contiene moduli.", "There are no modules in the file.",
		"Aggiungere almeno un modulo nell’elenco «modules».", "Add at least one module to the list “modules”.",
	},
	"invalid_module_code": {
		"Il codice del modulo manca o non ha la forma giusta.", "The module code is missing or does not have the right form.",
		"Usare lettere maiuscole, cifre e trattini, al massimo 32, per esempio SN-11.", "Use capital letters, digits and hyphens, at most 32, for example SN-11.",
	},
	"repeated_module": {
		"Lo stesso modulo c’è due volte.", "The same module is there twice.",
		"Togliere la copia, o dare un’altra versione.", "Remove the copy, or give it another version.",
	},
	"missing_outcome": {
		"Manca un risultato di apprendimento.", "There is no learning outcome.",
		"Aggiungere almeno un risultato, in italiano e in inglese.", "Add at least one outcome, in Italian and English.",
	},
	"invalid_hours": {
		"Le ore non sono giuste: il totale è più di zero e nessuna parte è negativa.", "The hours are not right: the total is more than zero and no part is negative.",
		"Correggere le ore.", "Correct the hours.",
	},
	"hours_do_not_add_up": {
		"La somma delle ore è {0}, ma il totale è {1}.", "The hours add up to {0}, but the total is {1}.",
		"Correggere le parti o il totale.", "Correct the parts or the total.",
	},
	"duration_differs": {
		"La durata «{0}» non corrisponde alle ore.", "The duration “{0}” does not match the hours.",
		"Scrivere {1}.", "Write {1}.",
	},
	"negative_number": {
		"È un numero minore di zero.", "It is a number below zero.",
		"Scrivere un numero intero da 0 in su.", "Write a whole number from 0 up.",
	},
	"invalid_level": {
		"Il livello EQF non è tra 1 e 8.", "The EQF level is not between 1 and 8.",
		"Scrivere un numero da 1 a 8.", "Write a number from 1 to 8.",
	},
	"missing_assessment": {
		"Il modulo non ha una prova di valutazione: senza, è un attestato di frequenza e non una microcredenziale.",
		"The module has no assessment: without one it is a certificate of attendance and not a micro-credential.",
		"Aggiungere almeno una prova di valutazione.", "Add at least one assessment.",
	},
	"attendance_only": {
		"L’unica valutazione è la frequenza: questo è un attestato di frequenza e non una microcredenziale.",
		"Attendance is the only assessment: this is a certificate of attendance and not a micro-credential.",
		"Aggiungere una prova di valutazione dei risultati di apprendimento.", "Add an assessment of the learning outcomes.",
	},
	"invalid_min_attendance": {
		"La presenza minima non è tra 0 e 100.", "The least attendance is not between 0 and 100.",
		"Scrivere una percentuale da 0 a 100, per esempio 75.", "Write a percentage from 0 to 100, for example 75.",
	},
	"invalid_validity": {
		"I mesi di validità non sono un numero maggiore di zero.", "The months of validity are not a number above zero.",
		"Scrivere i mesi, o null se la validità non finisce.", "Write the months, or null if the validity does not end.",
	},
	"no_providers": {
		"Il file non contiene enti.", "There are no providers in the file.",
		"Aggiungere almeno un ente nell’elenco «issuers».", "Add at least one provider to the list “issuers”.",
	},
	"invalid_provider_id": {
		"Il codice dell’ente manca o non si può usare.", "The provider’s id is missing or cannot be used.",
		"Scrivere un codice breve, per esempio iss-scuola.", "Write a short code, for example iss-scuola.",
	},
	"repeated_provider": {
		"Lo stesso ente c’è due volte.", "The same provider is there twice.",
		"Togliere la copia.", "Remove the copy.",
	},
	"invalid_country": {
		"Il paese non è un codice di tre lettere maiuscole.", "The country is not a code of three capital letters.",
		"Scrivere per esempio ITA.", "Write for example ITA.",
	},
	"invalid_homepage": {
		"L’indirizzo del sito non è corretto.", "The address of the website is not correct.",
		"Scrivere l’indirizzo intero, per esempio https://ente.example.org.", "Write the whole address, for example https://provider.example.org.",
	},
	"invalid_provider_email": {
		"L’indirizzo e-mail non è corretto.", "The e-mail address is not correct.",
		"Scrivere un indirizzo come segreteria@ente.example.org.", "Write an address like office@provider.example.org.",
	},
	"invalid_day": {
		"La data non esiste o non è scritta nel modo atteso.", "The date does not exist or is not written as expected.",
		"Scrivere la data così: 2026-06-30.", "Write the date like this: 2026-06-30.",
	},
	"unknown_basis": {
		"Non è detto da dove viene il livello EQF.", "It is not said where the EQF level comes from.",
		"Scrivere declared_by_issuer se lo dichiara l’ente, o national_framework con il campo reference.", "Write declared_by_issuer if the provider declares it, or national_framework with the member reference.",
	},
	"reference_without_framework": {
		"C’è un riferimento, ma il livello è dichiarato dall’ente.", "There is a reference, but the level is declared by the provider.",
		"Togliere il riferimento, o scrivere national_framework come base.", "Remove the reference, or write national_framework as the basis.",
	},
	"unknown_region": {
		"La regione non è nell’elenco europeo dei territori.", "The region is not in the European list of territories.",
		"Scrivere un codice come ITA_RG_LOMB, ITA_CIM_ROM o ITI4 (Lazio).", "Write a code such as ITA_RG_LOMB, ITA_CIM_ROM or ITI4 (Lazio).",
	},
	"invalid_accreditation_id": {
		"L’identificativo non è un indirizzo intero.", "The identifier is not a whole address.",
		"Copiare dal registro l’indirizzo intero, per esempio https://albo.example.org/accreditamenti/12.", "Copy the whole address from the register, for example https://register.example.org/accreditations/12.",
	},
	"unknown_accreditation_type": {
		"Il tipo di accreditamento non è nell’elenco europeo.", "The kind of accreditation is not in the European list.",
		"Scrivere uno dei quattro indirizzi dell’elenco, per esempio http://data.europa.eu/snb/accreditation/003293d2ce.", "Write one of the four addresses of the list, for example http://data.europa.eu/snb/accreditation/003293d2ce.",
	},
	"mandate_to_itself": {
		"L’ente dà il mandato a sé stesso.", "The provider gives the mandate to itself.",
		"Scrivere l’ente che sigilla, o togliere il mandato.", "Write the organisation that seals, or remove the mandate.",
	},
	"dates_reversed": {
		"Il periodo finisce prima di cominciare.", "The period ends before it begins.",
		"Controllare le due date.", "Check both dates.",
	},
}
