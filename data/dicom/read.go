package dicom

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"regexp"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// ErrNoPicture marks a DICOM file without pixels: a report, a directory, a
// measurement.
var ErrNoPicture = errors.New("the file holds no picture; export the image itself, not its report or directory")

// read makes an Image of a file's header.
func read(r io.ReaderAt, size int64) (*Image, error) {
	src := &source{r: r, size: size}
	l, err := survey(src)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(src, l)
	if err != nil {
		return nil, err
	}
	im := &Image{
		TransferSyntax: l.syntax.name,
		Photometric:    h.code(tag.PhotometricInterpretation),
		SOPClassUID:    h.uid(tag.SOPClassUID),
		Modality:       h.code(tag.Modality),
		Manufacturer:   h.name(tag.Manufacturer),
		Model:          h.name(tag.ManufacturerModelName),
		FrameTimeMs:    h.frameTimeMs(),
		Lossy:          l.syntax.lossy || h.text(tag.LossyImageCompression) == "01",
		BurnedIn:       h.text(tag.BurnedInAnnotation) != "NO",
		header:         h,
	}
	for _, t := range h.tags {
		if tag.IsPrivate(t.Group) {
			im.PrivateElements++
		}
	}
	if l.pixels.value == 0 {
		return nil, ErrNoPicture
	}
	if im.Frames, err = h.whole(tag.NumberOfFrames, 1, 1, maxFrames); err != nil {
		return nil, err
	}
	if im.pixel, err = newPixelFormat(h, l, im.Photometric, im.Frames); err != nil {
		return nil, err
	}
	im.Height, im.Width, im.BitsStored = im.pixel.height, im.pixel.width, im.pixel.bitsStored
	im.Channels = im.pixel.channelsOut()
	if mm := h.numbers(tag.PixelSpacing); len(mm) == 2 && plausibleMM(mm[0]) && plausibleMM(mm[1]) {
		im.DepthMMPerPx, im.LateralMMPerPx = mm[0], mm[1]
	}
	im.Regions, err = h.regions(image.Rect(0, 0, im.Width, im.Height))
	return im, err
}

// plausibleMM: a pixel of an ultrasound picture is between 1 µm and 10 mm.
func plausibleMM(mm float64) bool { return mm >= 1e-3 && mm <= 10 }

// frameTimeMs follows PS3.3 C.7.6.5: the time itself, the median of a vector, or
// the inverse of a rate per second.
func (h header) frameTimeMs() float64 {
	if ms := h.number(tag.FrameTime, 0); ms > 0 {
		return ms
	}
	if v := h.numbers(tag.FrameTimeVector); len(v) > 1 {
		v = slices.Sorted(slices.Values(v[1:])) // the first is 0 by definition
		if ms := v[len(v)/2]; ms > 0 {
			return ms
		}
	}
	for _, t := range []tag.Tag{tag.CineRate, tag.RecommendedDisplayFrameRate} {
		if perSecond := h.number(t, 0); perSecond > 0 {
			return 1000 / perSecond
		}
	}
	return 0
}

var (
	codeForm = regexp.MustCompile(`^[A-Z0-9_ ]{1,16}$`) // value representation CS
	uidForm  = regexp.MustCompile(`^[0-9.]{1,64}$`)     // value representation UI
	nameForm = regexp.MustCompile(`^[ -~]{1,64}$`)      // value representation LO, ASCII
)

func (h header) code(t tag.Tag) string { return matching(codeForm, h.text(t)) }
func (h header) uid(t tag.Tag) string  { return matching(uidForm, h.text(t)) }
func (h header) name(t tag.Tag) string { return matching(nameForm, h.text(t)) }

func matching(form *regexp.Regexp, s string) string {
	if form.MatchString(s) {
		return s
	}
	return ""
}

// regions reads the Sequence of Ultrasound Regions, PS3.3 C.8.5.5. A region
// outside the picture is dropped.
func (h header) regions(picture image.Rectangle) ([]Region, error) {
	items, err := h.items(tag.SequenceOfUltrasoundRegions)
	if err != nil {
		return nil, err
	}
	if len(items) > maxRegions {
		return nil, fmt.Errorf("%d ultrasound regions; the file is damaged, export it again", len(items))
	}
	var out []Region
	for _, it := range items {
		n := func(t tag.Tag) int { return int(max(-1, min(it.number(t, -1), math.MaxInt32))) }
		bounds := image.Rect(n(tag.RegionLocationMinX0), n(tag.RegionLocationMinY0), n(tag.RegionLocationMaxX1)+1, n(tag.RegionLocationMaxY1)+1).Intersect(picture)
		if bounds.Empty() {
			continue
		}
		r := Region{Bounds: bounds, SpatialFormat: n(tag.RegionSpatialFormat), DataType: n(tag.RegionDataType), LowPriority: n(tag.RegionFlags)&1 == 1}
		r.Kind = regionKind(r.SpatialFormat, r.DataType)
		const cm = 3 // Physical Units, PS3.3 C.8.5.5.1.15
		if mm := 10 * math.Abs(it.number(tag.PhysicalDeltaX, 0)); n(tag.PhysicalUnitsXDirection) == cm && plausibleMM(mm) {
			r.LateralMMPerPx = mm
		}
		if mm := 10 * math.Abs(it.number(tag.PhysicalDeltaY, 0)); n(tag.PhysicalUnitsYDirection) == cm && plausibleMM(mm) {
			r.DepthMMPerPx = mm
		}
		out = append(out, r)
	}
	return out, nil
}
