package example

import (
	"bytes"
	"fmt"
	"image"
	"maps"
	"slices"

	"github.com/google/renameio/v2"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// WriteDICOM stores frames of one size as an ultrasound multi-frame image (RGB,
// explicit little endian) with these text elements, such as a patient's name.
func WriteDICOM(path string, texts map[tag.Tag]string, frames ...*image.RGBA) error {
	const ultrasoundMultiframe, explicitLittleEndian, uid = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.1.2.1", "1.2.3.4.5"
	var pixels []byte
	for _, im := range frames {
		for i := 0; i < len(im.Pix); i += 4 {
			pixels = append(pixels, im.Pix[i:i+3]...)
		}
	}
	size := frames[0].Rect
	values := map[tag.Tag]any{
		tag.TransferSyntaxUID: []string{explicitLittleEndian}, tag.Modality: []string{"US"},
		tag.MediaStorageSOPClassUID: []string{ultrasoundMultiframe}, tag.SOPClassUID: []string{ultrasoundMultiframe},
		tag.MediaStorageSOPInstanceUID: []string{uid}, tag.SOPInstanceUID: []string{uid},
		tag.SamplesPerPixel: []int{3}, tag.PhotometricInterpretation: []string{"RGB"}, tag.PlanarConfiguration: []int{0},
		tag.NumberOfFrames: []string{fmt.Sprint(len(frames))}, tag.Rows: []int{size.Dy()}, tag.Columns: []int{size.Dx()},
		tag.BitsAllocated: []int{8}, tag.BitsStored: []int{8}, tag.HighBit: []int{7}, tag.PixelRepresentation: []int{0},
	}
	for at, text := range texts {
		values[at] = []string{text}
	}
	values[tag.PixelData] = lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: append(pixels, make([]byte, len(pixels)%2)...)}
	var set lib.Dataset
	for _, at := range slices.SortedFunc(maps.Keys(values), tag.Tag.Compare) {
		e, err := lib.NewElement(at, values[at])
		if err != nil {
			return fmt.Errorf("example DICOM %s: element %v: %w", path, at, err)
		}
		set.Elements = append(set.Elements, e)
	}
	var b bytes.Buffer
	if err := lib.Write(&b, set, lib.SkipVRVerification()); err != nil {
		return fmt.Errorf("example DICOM %s: %w", path, err)
	}
	return renameio.WriteFile(path, b.Bytes(), 0o644)
}
