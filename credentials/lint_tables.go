package credentials

// required lists the members that the profile demands by the type of a node:
// every path of application profile 1.2.0 with a least count of one, but for
// the top of the document, which shape checks.
var required = map[string][]string{
	"Person":                           {"hasClaim"},
	"LearningAchievement":              {"title", "awardedBy"},
	"LearningActivity":                 {"title", "awardedBy"},
	"LearningEntitlement":              {"title", "awardedBy"},
	"LearningAssessment":               {"title", "awardedBy", "grade"},
	"AwardingProcess":                  {"awardingBody"},
	"Qualification":                    {"title"},
	"LearningAchievementSpecification": {"title"},
	"LearningAssessmentSpecification":  {"title"},
	"LearningActivitySpecification":    {"title"},
	"LearningEntitlementSpecification": {"title", "dcType", "entitlementStatus"},
	"LearningOutcome":                  {"title"},
	"LearningOpportunity":              {"title", "providedBy"},
	"AwardingOpportunity":              {"awardingBody"},
	"CreditPoint":                      {"framework", "point"},
	"GradingScheme":                    {"title"},
	"Grant":                            {"title"},
	"Group":                            {"prefLabel"},
	"Note":                             {"noteLiteral"},
	"WebResource":                      {"contentURL"},
	"Evidence":                         {"dcType"},
	"Accreditation":                    {"dcType", "title", "accreditingAgent"},
	"Organisation":                     {"legalName", "location"},
	"Location":                         {"address"},
	"Address":                          {"countryCode"},
	"LegalIdentifier":                  {"notation", "spatial"},
	"Identifier":                       {"notation"},
	"MediaObject":                      {"contentType", "contentEncoding", "content"},
	"DisplayParameter":                 {"title", "language", "primaryLanguage", "individualDisplay"},
	"DisplayDetail":                    {"image", "page"},
	"IndividualDisplay":                {"language", "displayDetail"},
	"ResultCategory":                   {"label", "count"},
	"ShortenedGrading":                 {"percentageLower", "percentageEqual", "percentageHigher"},
	"Amount":                           {"unit", "value"},
	"VerificationCheck":                {"dcType", "verificationStatus", "elmSubject"},
	"Concept":                          {"inScheme"},
}

// codeRule names the list that a member's concepts come from. Where the profile
// itself does not fix the list, a free concept in the file of another is only a
// warning.
type codeRule struct {
	list  *codeList
	fixed bool
}

var codeRules = map[string]codeRule{
	"credentialProfiles": {&listProfile, true},
	"language":           {&listLanguage, true},
	"primaryLanguage":    {&listLanguage, true},
	"countryCode":        {&listCountry, true},
	"spatial":            {&listCountry, true},
	"citizenshipCountry": {&listCountry, true},
	"thematicArea":       {&listField, true},
	"limitField":         {&listField, true},
	"eqfLevel":           {&listEQF, true},
	"limitEQFLevel":      {&listEQF, true},
	"limitJurisdiction":  {&listTerritory, true},
	"learningSetting":    {&listSetting, true},
	"reusabilityLevel":   {&listReuse, true},
	"entitlementStatus":  {&listEntitlementStatus, true},
	"unit":               {&listCurrency, true},
	"mode":               {&listMode, false},
	"idVerification":     {&listSupervision, false},
	"framework":          {&listCredit, false},
	"contentEncoding":    {&listEncoding, false},
	"contentType":        {&listFileType, false},
}

// dcTypeRules: the list depends on the node that carries the type.
var dcTypeRules = map[string]codeRule{
	"LearningOutcome":                 {&listSkillType, true},
	"Evidence":                        {&listEvidenceType, true},
	"Accreditation":                   {&listAccreditationType, true},
	"Qualification":                   {&listOpportunity, false},
	"LearningAssessmentSpecification": {&listAssessmentType, false},
	"LearningActivitySpecification":   {&listActivityType, false},
}

// Schemes whose concepts are not held here.
const (
	schemeOccupations = "http://data.europa.eu/esco/concept-scheme/occupations"
	schemeNQF         = "http://data.europa.eu/snb/qdr/25831c2"
)
