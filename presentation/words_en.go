package presentation

// Advice that several problems share.
const (
	askEn = "Ask the holder for the original file of the credential or for the link under the QR."
	pdfEn = "If there is a QR on the page, take a photo or a screenshot of it and upload that. Or ask the holder for the original file."
	zipEn = "Open the archive on your computer and upload the files one by one or in groups."
)

// english says every problem: what was found and what to do.
var english = map[string][2]string{
	"empty":           {"There is nothing to read.", askEn},
	"large":           {"The file is too large: a digital credential has at most 4 MB.", askEn},
	"late":            {"There was no time to read it: there were too many files at once.", "Repeat with fewer files."},
	"many":            {"From here on there is more to check, which was not read.", "Repeat with fewer files."},
	"handle_unknown":  {"The code belongs to no credential issued here.", "Scan the QR again, or ask the holder for the original file."},
	"handle_erased":   {"The credential was erased together with the data of the person.", "Whoever still has its file can present that."},
	"office":          {"It is an office document (Word, Excel or the like), which carries no sealed credential.", askEn},
	"zip_damaged":     {"The ZIP archive is damaged.", "Make it again, or upload the files without an archive."},
	"zip_empty":       {"The ZIP archive is empty.", askEn},
	"zip_encrypted":   {"The file in the ZIP archive is protected by a password.", zipEn},
	"zip_entries":     {"The ZIP archive has more than 1000 files.", "Divide it into smaller archives."},
	"zip_large":       {"The ZIP archive holds more than we read at once.", "Divide it into smaller archives, of at most 50 MB when unpacked."},
	"zip_method":      {"The file in the ZIP archive is packed in a way that we do not read.", zipEn},
	"zip_nested":      {"It is an archive in an archive, and we do not open it.", zipEn},
	"picture_damaged": {"The picture is damaged and cannot be read.", "Take the photo or the screenshot again."},
	"picture_kind":    {"The picture is of a kind that we do not read.", "Save it as JPEG or PNG, or take a screenshot of it."},
	"picture_large":   {"The picture is too large: we read up to 8 MB and 40 million pixels.", "Cut out the QR or take a screenshot of it."},
	"png_animated":    {"The picture moves: the QR that you see may not be the one that we would read.", "Take a screenshot of it and upload that."},
	"png_damaged":     {"The PNG picture is damaged or was changed.", askEn},
	"png_trailing":    {"There is something after the end of the PNG picture.", askEn},
	"qr_none":         {"We found no QR in the picture that can be read.", "Take the photo again from near, straight and in good light, or type the code under the QR."},
	"badge_form":      {"The picture says that it holds a credential, but not in the form that is laid down.", askEn},
	"badge_large":     {"The credential in the picture is too large.", askEn},
	"badge_several":   {"There are several credentials in the picture: different programs would show different ones.", askEn},
	"svg_damaged":     {"The SVG picture is damaged.", askEn},
	"svg_doctype":     {"The SVG picture declares a document type, and for safety we do not read it.", askEn},
	"svg_none":        {"The SVG picture holds no credential.", "If there is a QR in the picture, take a screenshot of it and upload that."},
	"pdf_damaged":     {"The PDF is damaged or does not keep to the rules of the format.", askEn},
	"pdf_encrypted":   {"The PDF is protected by a password or by limits on its use.", pdfEn},
	"pdf_filter":      {"In the PDF there is an attachment that is packed in a way that we do not read.", "Open the PDF, save the attachment and upload that."},
	"pdf_large":       {"There is more in the PDF than we read.", "Open the PDF, save the attachment and upload that."},
	"pdf_none":        {"No credential is attached to the PDF. What its pages show anybody can write, and we do not check it.", pdfEn},
	"pdf_other":       {"Files are attached to the PDF, but none of them is a credential.", pdfEn},
	"pdf_receipt":     {"It is a receipt of checks made before, not a credential. Anybody can write one that looks like it.", "Open it with a program that shows signatures, or repeat the check with the original files."},
	"pdf_twofold":     {"An attachment of the PDF is two different files: different programs would open one or the other.", askEn},
	"unknown":         {"It cannot be read.", askEn},
}
