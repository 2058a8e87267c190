package verifier

// french says every reason: what was found and what to do.
var french = map[string][2]string{
	"format_edc":       {"C’est une attestation numérique européenne (EDC) lisible.", ""},
	"format_empty":     {"Il n’y a rien à vérifier : le fichier est vide.", "Envoyez le fichier qui se termine par .jsonld, ou ouvrez le lien du code QR."},
	"format_too_large": {"Le fichier est trop grand pour être une attestation.", "Envoyez seulement le fichier .jsonld, au plus 4 Mo."},
	"format_not_json":  {"Ce n’est pas une attestation numérique : le contenu est illisible.", "Demandez à la personne le fichier .jsonld original, sans modification."},
	"format_not_sealed": {
		"Le fichier ne porte pas de sceau électronique : n’importe qui aurait pu l’écrire.",
		"Demandez à la personne le fichier .jsonld original, ou son code QR.",
	},
	"format_header":      {"Le sceau n’est pas écrit comme il le faut, il ne peut donc pas être accepté.", "Demandez un nouveau fichier à l’émetteur."},
	"format_certificate": {"Le certificat du sceau manque ou ne correspond pas.", "Demandez un nouveau fichier à l’émetteur."},
	"format_payload":     {"Le contenu scellé n’est pas une attestation numérique européenne.", "Demandez à la personne le fichier .jsonld original."},
	"format_unreadable":  {"Le contenu est illisible.", "Demandez à la personne le fichier .jsonld original."},
	"seal_intact":        {"Le sceau est intact : depuis le {at} le contenu n’a pas changé.", ""},
	"seal_proven":        {"Le sceau est intact. {by} atteste qu’il existait déjà le {at}, et depuis le contenu n’a pas changé.", ""},
	"seal_content_stamp": {"L’horodatage dans le sceau porte sur un autre contenu.", "Ne vous fiez pas à ce fichier. Contactez l’émetteur."},
	"seal_broken":        {"Le sceau est brisé : le contenu a été modifié, ou le sceau est faux.", "Ne vous fiez pas à ce fichier. Demandez l’original ou contactez l’émetteur."},
	"seal_in_future":     {"Le sceau porte une date future ({at}).", "Contrôlez l’horloge de cet ordinateur, ou contactez l’émetteur."},
	"issuer_demonstration": {
		"Le sceau appartient à {name}, avec une clé de démonstration : seule cette installation le garantit, aucune autorité extérieure. Ce n’est pas un sceau qualifié.",
		"Servez-vous-en pour essayer le service, pas pour décider.",
	},
	"issuer_advanced": {"Le sceau appartient à {name}. Il est garanti par {anchor}. C’est un sceau avancé.", ""},
	"issuer_qualified": {
		"Le sceau appartient à {name}. C’est un sceau électronique qualifié : il est garanti par {anchor}, sur la liste de confiance de l’Union européenne.",
		"",
	},
	"issuer_qualified_certificate": {
		"Le sceau appartient à {name}. C’est un sceau avancé avec un certificat qualifié : il est garanti par {anchor}, sur la liste de confiance de l’Union européenne.",
		"",
	},
	"issuer_unrecognised": {
		"Le sceau dit appartenir à {name}, mais personne que nous connaissions ne le garantit. Non reconnu ne veut pas dire faux.",
		"Contactez l’émetteur par une voie que vous connaissez déjà, ou vérifiez sur son propre site.",
	},
	"issuer_mismatch":    {"L’émetteur nommé dans l’attestation ({name}) n’est pas celui du sceau ({sealer}).", "Ne vous fiez pas à ce fichier. Contactez l’émetteur."},
	"issuer_nameless":    {"Le certificat du sceau ne nomme aucune organisation.", "Demandez un nouveau fichier à l’émetteur."},
	"issuer_certificate": {"Le certificat qui appartient à {name} ne pouvait pas servir à ce sceau.", "Contactez l’émetteur."},
	"issuer_key_revoked": {"La clé qui appartient à {name} ne vaut plus depuis le {on}.", "Ne vous fiez pas à ce fichier. Contactez l’émetteur."},
	"issuer_key_revoked_since": {
		"La clé qui appartient à {name} ne vaut plus depuis le {on}. Que le sceau date d’avant, seul le sceau le dit.",
		"Demandez à l’émetteur de confirmer.",
	},
	"issuer_key_revoked_later": {"La clé qui appartient à {name} ne vaut plus depuis le {on}. Ce sceau date d’avant : {by} l’atteste.", ""},
	"issuer_certificate_ended": {
		"Le certificat qui appartient à {name}, ou celui de l’autorité qui l’a délivré, a pris fin le {on}. Que le sceau date d’avant, seul le sceau le dit.",
		"Demandez à l’émetteur un fichier horodaté, ou de confirmer.",
	},
	"accreditation_then_and_now": {"{name} avait une accréditation quand l’attestation a été délivrée ({then}), et aussi {today} : c’est ce que dit {authority}.", ""},
	"accreditation_ended": {
		"Selon {authority}, {name} avait une accréditation quand l’attestation a été délivrée ({then}) : oui ; {today} : non, l’accréditation a pris fin le {since}.",
		"",
	},
	"accreditation_suspended": {
		"Selon {authority}, {name} avait une accréditation quand l’attestation a été délivrée ({then}) : oui ; {today} : non, l’accréditation est suspendue depuis le {since}.",
		"",
	},
	"accreditation_ended_unproven": {
		"Selon {authority}, {name} avait une accréditation le jour où l’attestation dit avoir été délivrée ({then}) : oui ; {today} : non, l’accréditation a pris fin le {since}. Que le sceau date d’avant, seul le sceau le dit.",
		"Si c’est important, demandez à l’émetteur une copie horodatée, ou de confirmer la date.",
	},
	"accreditation_suspended_unproven": {
		"Selon {authority}, {name} avait une accréditation le jour où l’attestation dit avoir été délivrée ({then}) : oui ; {today} : non, l’accréditation est suspendue depuis le {since}. Que le sceau date d’avant, seul le sceau le dit.",
		"Si c’est important, demandez à l’émetteur une copie horodatée, ou de confirmer la date.",
	},
	"accreditation_gap_unproven": {
		"Selon {authority}, {name} avait une accréditation le jour où l’attestation dit avoir été délivrée ({then}), et aussi {today}. Pendant un temps, à partir du {since}, ce n’était pas le cas : que le sceau date d’avant, seul le sceau le dit.",
		"Si c’est important, demandez à l’émetteur une copie horodatée, ou de confirmer la date.",
	},
	"accreditation_then_list_stale": {
		"{name} avait une accréditation quand l’attestation a été délivrée ({then}), selon {authority}. Si c’est le cas {today}, on ne le sait pas : la liste va jusqu’au {speaks}.",
		"Si c’est important, regardez sur le site de l’autorité qui accrédite.",
	},
	"accreditation_list_stale": {
		"Si {name} avait une accréditation quand l’attestation a été délivrée ({then}), on ne le sait pas : la liste publiée par {authority} va jusqu’au {speaks}.",
		"S’il vous faut un émetteur accrédité, regardez sur le site de l’autorité qui accrédite.",
	},
	"accreditation_not_then": {
		"Quand l’attestation a été délivrée ({then}), {name} n’avait PAS d’accréditation : c’est ce que dit {authority}. L’accréditation avait pris fin le {since}.",
		"Demandez des explications à l’émetteur, ou à l’autorité qui accrédite.",
	},
	"accreditation_not_yet": {
		"Quand l’attestation a été délivrée ({then}), {name} n’avait PAS d’accréditation : c’est ce que dit {authority}. L’accréditation ne commence que le {since}.",
		"Demandez des explications à l’émetteur, ou à l’autorité qui accrédite.",
	},
	"accreditation_suspended_then": {
		"Quand l’attestation a été délivrée ({then}), {name} avait une accréditation SUSPENDUE, depuis le {since} : c’est ce que dit {authority}.",
		"Demandez des explications à l’émetteur, ou à l’autorité qui accrédite.",
	},
	"accreditation_outside": {
		"{name} est dans la liste publiée par {authority}, mais son accréditation ne concerne PAS une attestation comme celle-ci.",
		"S’il vous faut un émetteur accrédité pour cela, demandez à l’autorité qui accrédite.",
	},
	"accreditation_limited": {
		"{name} avait une accréditation le {then}, avec des limites : c’est ce que dit {authority}. L’attestation n’en dit pas assez pour savoir si elles la concernent.",
		"S’il vous faut un émetteur accrédité pour cela, demandez à l’autorité qui accrédite.",
	},
	"accreditation_mandate": {
		"{name} avait une accréditation le {then} : c’est ce que dit {authority}. {sealer} dit pouvoir sceller pour son compte : personne d’autre ne le dit.",
		"Si c’est important, demandez une confirmation à {name}.",
	},
	"accreditation_not_known": {
		"Aucune accréditation de l’émetteur n’est connue : aucune liste que nous avons ne le nomme.",
		"S’il vous faut un émetteur accrédité, regardez dans le registre de la région.",
	},
	"accreditation_claimed": {
		"L’attestation déclare une accréditation ({register}). Aucune liste que nous avons ne la confirme.",
		"S’il vous faut un émetteur accrédité, regardez dans le registre de la région.",
	},
	"accreditation_not_checked": {"L’accréditation n’a pas été vérifiée : personne ne se porte garant de l’organisation qui a scellé.", ""},
	"validity_no_end":           {"L’attestation est valide à partir du {from} et n’expire pas.", ""},
	"validity_until":            {"L’attestation est valide jusqu’au {on}.", ""},
	"validity_expired":          {"L’attestation a expiré le {on}.", "Demandez s’il existe une attestation plus récente."},
	"validity_not_yet":          {"L’attestation n’est valide qu’à partir du {on}.", "Elle compte à partir de ce jour, pas avant."},
	"validity_sealed_later":     {"L’attestation n’existait pas encore le jour demandé : elle a été scellée le {on}.", ""},
	"validity_unstated":         {"L’attestation ne dit pas à partir de quand elle est valide.", "Demandez un nouveau fichier à l’émetteur."},
	"status_not_yet":            {"Personne ne peut savoir aujourd’hui si l’attestation vaudra encore le jour demandé.", "Refaites la vérification ce jour-là."},
	"status_valid":              {"L’attestation n’est ni révoquée ni suspendue.", ""},
	"status_revoked":            {"L’émetteur a révoqué l’attestation : elle ne vaut plus.", "Demandez-en la raison à l’émetteur ou à la personne."},
	"status_suspended":          {"L’émetteur a suspendu l’attestation : pour l’instant elle ne vaut pas.", "Réessayez plus tard, ou demandez à l’émetteur."},
	"status_revoked_since":      {"Aujourd’hui l’attestation est révoquée. On ne sait pas si elle l’était déjà le jour demandé.", "Demandez à l’émetteur la date de la révocation."},
	"status_suspended_since":    {"Aujourd’hui l’attestation est suspendue. On ne sait pas si elle l’était déjà le jour demandé.", "Demandez à l’émetteur."},
	"status_valid_then":         {"Aujourd’hui l’attestation n’est pas révoquée, et une révocation est définitive : elle ne l’était donc pas non plus le jour demandé.", ""},
	"status_not_revoked_then": {
		"Aujourd’hui l’attestation n’est pas révoquée, et une révocation est définitive : elle ne l’était donc pas non plus le jour demandé. Si elle était suspendue ce jour-là, la liste ne le dit pas.",
		"Si c’est important, demandez à l’émetteur.",
	},
	"status_none":            {"L’attestation ne dit pas où regarder si elle a été révoquée.", "Si c’est important, demandez à l’émetteur."},
	"status_not_asked":       {"Nous n’avons pas demandé si l’attestation est révoquée : personne ne se porte garant de l’organisation qui a scellé.", ""},
	"status_unsupported":     {"Nous ne savons pas lire la façon dont l’état est publié.", "Demandez à l’émetteur si l’attestation vaut encore."},
	"status_offline":         {"Sans réseau, on ne peut pas savoir si l’attestation a été révoquée.", "Refaites la vérification avec le réseau."},
	"status_unreachable":     {"La liste des attestations révoquées ne répond pas.", "Réessayez dans quelques minutes, ou demandez à l’émetteur."},
	"status_refused":         {"La liste des attestations révoquées est à une adresse que nous n’interrogeons pas.", "Vérifiez sur le site de l’émetteur, ou demandez-lui."},
	"status_stale":           {"La liste des attestations révoquées n’est plus à jour.", "Réessayez plus tard, ou demandez à l’émetteur."},
	"status_list_unreadable": {"La liste des attestations révoquées est illisible.", "Demandez à l’émetteur si l’attestation vaut encore."},
	"status_list_damaged":    {"La liste des attestations révoquées est trop grande, ou endommagée.", "Réessayez plus tard, ou demandez à l’émetteur."},
	"status_list_untrusted":  {"La liste des attestations révoquées n’est pas signée par le même émetteur.", "Contactez l’émetteur par une voie que vous connaissez déjà."},
	"status_list_swapped":    {"La liste publiée n’est pas celle que l’attestation indique.", "Contactez l’émetteur par une voie que vous connaissez déjà."},
	"status_index":           {"La place dans la liste des attestations révoquées n’existe pas.", "Contactez l’émetteur."},
	"schema_not_checked":     {"Le format n’a pas été examiné : personne ne se porte garant de l’organisation qui a scellé.", ""},
	"schema_several":         {"Le fichier atteste {count} choses, et seules {shown} sont montrées ici.", "Demandez à l’émetteur, ou utilisez le visualiseur européen."},
	"schema_ambiguous":       {"Le contenu peut se lire de deux façons ({first}) : on ne sait pas laquelle est la bonne.", "Demandez un nouveau fichier à l’émetteur."},
	"schema_conforms":        {"Le contenu respecte le format européen.", ""},
	"schema_deviates":        {"Le contenu s’écarte du format européen en {count} points ({first}). Le sceau reste bon.", ""},
	"holder_not_bound":       {"La vérification ne dit pas qui est devant vous : l’attestation appartient à {name}.", "Comparez le nom avec une pièce d’identité."},
	"holder_matches": {
		"Pour {name}, ce que vous avez écrit correspond à ce que dit l’attestation.",
		"Regardez aussi si la pièce d’identité est celle de la personne devant vous.",
	},
	"holder_differs": {
		"Pour {name}, ce que vous avez écrit ne correspond pas à ce que dit l’attestation.",
		"Comparez ce que vous avez écrit avec la pièce d’identité. Si c’est juste, n’acceptez pas l’attestation comme preuve pour cette personne et demandez à l’émetteur.",
	},
	"holder_no_data": {"L’attestation ne contient pas ce que vous avez écrit : on ne peut donc pas comparer.", "Comparez le nom, {name}, avec une pièce d’identité."},
	"format_brief":   {"C’est un code QR compact lisible : la forme brève d’une attestation.", ""},
	"format_brief_unreadable": {
		"C’est un code QR compact, mais il est illisible : il en manque une partie, ou il a été modifié.",
		"Scannez de nouveau le code QR entier, ou demandez à la personne le fichier original ou le code QR ordinaire.",
	},
	"seal_brief_intact": {"Le sceau du code QR compact est intact : le contenu n’a pas changé depuis sa création, le {at}.", ""},
	"seal_brief_broken": {
		"Le sceau du code QR compact est rompu : le contenu a été modifié, ou le sceau est faux.",
		"Ne vous fiez pas à ce code QR. Demandez le fichier original ou contactez l’émetteur.",
	},
	"seal_brief_key": {
		"Le certificat de la clé qui a scellé ce code QR compact n’est pas disponible : impossible de savoir s’il est authentique.",
		"Vérifiez-le avec le réseau sur le site de l’émetteur, ou demandez à la personne le fichier original.",
	},
	"schema_brief": {
		"C’est la forme brève : le document entier n’a pas été vu. Son empreinte SHA-256 est {digest}.",
		"Pour voir toute l’attestation, demandez le fichier à la personne ou scannez le code QR ordinaire.",
	},
	"schema_brief_beside": {"C’est la forme brève d’un document présenté en même temps : l’empreinte SHA-256 est la même ({digest}).", ""},
	"holder_brief": {
		"Un code QR compact ne contient ni la date de naissance ni un numéro national : ce que vous avez saisi ne peut pas être comparé.",
		"Comparez le nom, {name}, avec une pièce d’identité, ou demandez à la personne le fichier de l’attestation.",
	},
	"format_sdjwt": {"C’est une attestation lisible au format des portefeuilles numériques (SD-JWT VC).", ""},
	"format_sdjwt_unreadable": {
		"C’est une attestation pour portefeuilles numériques (SD-JWT VC), mais elle enfreint les règles : une partie manque, est de trop ou a été modifiée.",
		"Demandez à la personne de la présenter de nouveau, entière, depuis son portefeuille.",
	},
	"format_sdjwt_key": {
		"C’est une attestation pour portefeuilles numériques (SD-JWT VC), signée d’une manière qui n’est pas lue ici : impossible de savoir si elle est authentique.",
		"Vérifiez-la avec le service qu’indique son émetteur, ou demandez à la personne le fichier original .jsonld.",
	},
	"format_vcjwt": {
		"C’est une attestation d’un autre genre (W3C dans un jeton, comme un Open Badge 3.0), qui n’est pas lu ici : impossible de savoir si elle est authentique.",
		"Vérifiez-la avec le service qu’indique son émetteur, ou demandez à la personne le fichier original .jsonld.",
	},
	"format_token": {
		"C’est un jeton d’un autre genre, et non une attestation signée.",
		"Demandez à la personne le fichier original de l’attestation.",
	},
	"seal_sdjwt_intact": {"La signature de l’émetteur est intacte : ce qui est affiché n’a pas changé. Ce que la personne n’a pas voulu montrer n’est pas affiché.", ""},
	"seal_sdjwt_broken": {
		"La signature de l’émetteur ne tient pas : le contenu a été modifié, ou la signature est fausse.",
		"Ne vous fiez pas à cette attestation. Demandez une nouvelle présentation ou contactez l’émetteur.",
	},
	"seal_sdjwt_holder": {
		"La preuve par la clé de la personne ne tient pas : elle est d’une autre clé, ou faite pour une autre présentation.",
		"Ne l’acceptez pas. Demandez à la personne de la présenter de nouveau depuis son portefeuille.",
	},
	"schema_sdjwt":        {"C’est une attestation du type {type}. Les règles de ce type n’ont pas été examinées.", ""},
	"schema_sdjwt_issuer": {"C’est une attestation du type {type}, dont les règles n’ont pas été examinées. L’adresse qu’elle donne pour son émetteur ({issuer}) n’est pas dans le certificat : seul le certificat dit qui il est.", ""},
	"holder_hidden": {
		"Ce que la personne a montré ne contient pas ce que vous avez saisi, qui ne peut donc pas être comparé.",
		"Demandez une nouvelle présentation avec cette donnée, ou comparez le nom avec une pièce d’identité.",
	},
	"holder_undisclosed": {
		"La vérification ne dit pas qui est devant vous : la personne n’a pas montré son nom.",
		"S’il vous le faut, demandez une nouvelle présentation avec le nom.",
	},
	"holder_key_shown": {
		"L’attestation est au nom de : {name}. La personne qui l’a présentée le {at} en avait la clé ; si elle l’a présentée à vous, on ne peut pas le savoir d’ici.",
		"Comparez le nom avec une pièce d’identité.",
	},
	"issuer_address": {
		"Le sceau appartient à {name}. Il est garanti par {anchor}. Mais l’attestation indique pour son émetteur une adresse ({address}) qui n’est pas parmi celles du certificat : impossible de savoir s’il s’agit du même émetteur.",
		"Contactez l’émetteur par un moyen que vous connaissez déjà.",
	},
	"accreditation_undated": {
		"{name} est sur une liste, tenue par {authority}. L’attestation ne montre pas quel jour elle a été délivrée : impossible de savoir si {name} avait ce jour-là une accréditation.",
		"Si cela compte, demandez une nouvelle présentation avec le jour de délivrance.",
	},
	"validity_unread": {"L’attestation a un dernier jour, écrit d’une manière qui n’est pas lue ici : impossible de savoir si elle a expiré.", "Demandez à l’émetteur jusqu’à quand elle est valide."},
	"holder_key_unread": {
		"Avec l’attestation est venue une preuve par la clé de la personne, faite d’une manière qui n’est pas lue ici : impossible de savoir si elle tient.",
		"Comparez le nom avec une pièce d’identité, et demandez à l’émetteur de confirmer l’attestation.",
	},
	"unknown": {"Ce contrôle n’a pas été fait.", ""},
}
