package presentation

import (
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// maxCorners is how many things that look like a corner of a QR a picture may
// have. The library tries every three of them.
const maxCorners = 200

// decodeQR tries one way of reading.
func decodeQR(p plane, pure, inverted bool) string {
	source, err := gozxing.NewPlanarYUVLuminanceSource(p.luma, p.width, p.height, 0, 0, p.width, p.height, false)
	if err != nil {
		return ""
	}
	if inverted {
		source = source.Invert()
	}
	bits, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
	if err != nil {
		return ""
	}
	if !pure {
		matrix, err := bits.GetBlackMatrix()
		if err != nil {
			return ""
		}
		return cornered(matrix)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return ""
	}
	return found.GetText()
}

// cornered reads the QR whose three corners are found.
func cornered(matrix *gozxing.BitMatrix) string {
	corners := 0
	finder := detector.NewFinderPatternFinder(matrix, func(gozxing.ResultPoint) {
		if corners++; corners > maxCorners {
			matrix.Clear() // there are no more corners to be found
		}
	})
	three, none := finder.Find(map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if none != nil {
		return ""
	}
	if found, err := detector.NewDetector(matrix).ProcessFinderPatternInfo(three); err == nil {
		if text := sampled(found.GetBits()); text != "" {
			return text
		}
	}
	return sized(matrix, three)
}

func sampled(bits *gozxing.BitMatrix) string {
	found, err := decoder.NewDecoder().DecodeWithoutHint(bits)
	if err != nil {
		return ""
	}
	return found.GetText()
}

// otherSizes are how many versions above and below its guess a QR may be.
const otherSizes = 3

// sized reads a QR of which the library guesses the size wrong: it measures modules
// at the corners, and on a screen those of a fine QR have three pixels here and four
// there. Only the right size has a content.
func sized(matrix *gozxing.BitMatrix, three *detector.FinderPatternInfo) string {
	left, right, below := three.GetTopLeft(), three.GetTopRight(), three.GetBottomLeft()
	module := (left.GetEstimatedModuleSize() + right.GetEstimatedModuleSize() + below.GetEstimatedModuleSize()) / 3
	if module < 1 {
		return ""
	}
	across := (gozxing.ResultPoint_Distance(left, right) + gozxing.ResultPoint_Distance(left, below)) / 2
	guess := int(across/module+7-17+2) / 4 // a side has 17 modules and 4 for each version
	for version := max(1, guess-otherSizes); version <= min(40, guess+otherSizes); version++ {
		side := 17 + 4*version
		bits, err := detector.Detector_sampleGrid(matrix, detector.Detector_createTransform(left, right, below, nil, side), side)
		if err != nil {
			continue
		}
		if text := sampled(bits); text != "" {
			return text
		}
	}
	return ""
}
