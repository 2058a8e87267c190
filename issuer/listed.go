package issuer

import (
	"attesta/accreditation"
	"attesta/credentials"
	"attesta/intake"
)

// listedFault is why a list of accredited providers keeps a module from being
// issued today, or what it leaves open.
type listedFault struct {
	code    string
	warning bool
	more    []string // authority, name, day, register, number, limits, last day of a suspension
}

func (f listedFault) finding(row intake.Completion) intake.Finding {
	found := finding(row, "module_code", f.code, row.Module, f.more...)
	if f.warning {
		found.Severity = intake.Warning
	}
	return found
}

// listed asks the lists that are held about the provider of a module. A provider
// that none of them knows is not kept from issuing; a list that is too old to
// say is a warning, for it is not the provider who can renew it.
func (i *Issuer) listed(m *model) ([]listedFault, error) {
	if i.Accreditations == nil {
		return nil, nil
	}
	lists := i.Accreditations()
	if lists.Empty() {
		return nil, nil
	}
	own := m.provider
	own.Mandate = nil
	owner, err := OwnerOf(own)
	if err != nil {
		return nil, err
	}
	q := accreditation.Question{LegalIDs: []string{owner.LegalID}, EQF: m.module.Level.EQF, Country: m.provider.Country}
	if m.module.Field.Code != "" {
		q.Fields = []string{m.module.Field.Code}
	}
	if uri, ok := credentials.RegionURI(m.provider.Region); ok {
		q.Region = accreditation.RegionCode(uri)
	}
	if m.provider.Mandate != nil {
		sealer, err := OwnerOf(m.provider)
		if err != nil {
			return nil, err
		}
		q.Sealer = sealer.LegalID
	}
	now := i.now()
	today := lists.Day(now)
	a, known := lists.Ask(q, today, today, now)
	if !known {
		return nil, nil
	}
	return faultsOf(a, a.Provider.Called(today), lists.Day(a.List.NextUpdate)), nil
}

func faultsOf(a accreditation.Answer, name string, speaks credentials.Date) []listedFault {
	s := a.Then
	more := []string{a.List.Authority.Name, name, string(s.Day), "", "", "", string(s.Until)}
	if e := s.Accreditation; e != nil {
		more[3], more[4], more[5] = e.Register, e.Number, e.Limits()
	}
	switch s.State {
	case accreditation.Accredited:
		if !a.MaySeal {
			return []listedFault{{"accreditation_mandate", true, more}}
		}
		return nil
	case accreditation.Silent:
		more[2] = string(speaks)
		return []listedFault{{"accreditation_silent", true, more}}
	case accreditation.Unclear:
		return []listedFault{{"accreditation_limited", false, more}}
	}
	return []listedFault{{"accreditation_" + string(s.State), false, more}}
}

// listedWords say what a list of accredited providers means for a row.
func listedWords(code string, more []string) (message, remedy credentials.Text) {
	text := func(it, en string) credentials.Text { return credentials.Text{"it": it, "en": en} }
	authority, name, day, limits, until := more[0], more[1], more[2], more[5], more[6]
	voce, entry := name+" ("+more[3]+", n. "+more[4]+")", name+" ("+more[3]+", no. "+more[4]+")"
	switch code {
	case "accreditation_ended":
		return text("Secondo "+authority+" l’accreditamento di "+voce+" è finito: il suo ultimo giorno era "+day+".", "According to "+authority+" the accreditation of "+entry+" has ended: its last day was "+day+"."),
			text("Se è stato rinnovato, chiedi a "+authority+" un elenco aggiornato e importalo con attesta trust import --accreditation.", "If it was renewed, ask "+authority+" for a newer list and import it with attesta trust import --accreditation.")
	case "accreditation_not_begun":
		return text("Secondo "+authority+" l’accreditamento di "+voce+" comincia solo il "+day+".", "According to "+authority+" the accreditation of "+entry+" begins only on "+day+"."),
			text("Rilascia da quel giorno.", "Issue from that day on.")
	case "accreditation_suspended":
		end, fine := "", ""
		if until != "" {
			end, fine = " to "+until, " al "+until
		}
		return text("Secondo "+authority+" l’accreditamento di "+voce+" è sospeso dal "+day+fine+".", "According to "+authority+" the accreditation of "+entry+" is suspended from "+day+end+"."),
			text("Rilascia quando la sospensione è finita; se è già finita, importa l’elenco aggiornato con attesta trust import --accreditation.", "Issue when the suspension is over; if it is over already, import the newer list with attesta trust import --accreditation.")
	case "accreditation_outside":
		return text("Secondo "+authority+" l’accreditamento di "+voce+" non riguarda questo modulo: vale per "+limits+".", "According to "+authority+" the accreditation of "+entry+" is not for this module: it is for "+limits+"."),
			text("Controlla livello EQF e campo ISCED del modulo e la regione dell’ente; se sono giusti, chiedi a "+authority+" di estendere l’accreditamento.", "Check the EQF level and the ISCED field of the module and the region of the provider; if they are right, ask "+authority+" to extend the accreditation.")
	case "accreditation_limited":
		return text("L’accreditamento di "+voce+" vale per "+limits+", e non si può sapere se riguarda questo modulo.", "The accreditation of "+entry+" is for "+limits+", and whether that covers this module cannot be told."),
			text("Scrivi la regione dell’ente (membro region) e il campo ISCED del modulo con tutte le cifre, e importali di nuovo.", "Write the region of the provider (member region) and the ISCED field of the module with all its digits, and import them again.")
	case "accreditation_silent":
		return text("L’elenco di "+authority+" arriva al "+day+": se "+name+" sia accreditato oggi non si sa.", "The list of "+authority+" speaks until "+day+": whether "+name+" is accredited today is not known."),
			text("Chiedi a "+authority+" un elenco aggiornato e importalo con attesta trust import --accreditation.", "Ask "+authority+" for a newer list and import it with attesta trust import --accreditation.")
	default: // accreditation_mandate
		return text("L’elenco di "+authority+" non dice che chi sigilla possa farlo per "+name+".", "The list of "+authority+" does not say that who seals may do so for "+name+"."),
			text("Chiedi a "+authority+" di annotarlo (attesta trust accredit --sealed-by).", "Ask "+authority+" to note it (attesta trust accredit --sealed-by).")
	}
}
