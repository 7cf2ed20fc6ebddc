package scan

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"elastography/data/dicom"
	"elastography/data/scan/example"
)

// simulated is a plane of the simulated cohort (testdata/NOTICE.md).
type simulated struct {
	name string
	grey *image.Gray
	swe  *image.Gray16 // 0.01 kPa, 0 none
}

// simulatedPxPerCM is its pixel size of 0.175 mm.
const simulatedPxPerCM = 10 / 0.175

func readSimulated(t *testing.T, bmode string) *simulated {
	t.Helper()
	read := func(path string) image.Image {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		im, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		return im
	}
	base := strings.TrimSuffix(bmode, "_bmode.png")
	return &simulated{filepath.Base(base), read(bmode).(*image.Gray), read(base + "_swe_centikpa.png").(*image.Gray16)}
}

// truth is the plane as a scanner with this display limit knows it.
func (s *simulated) truth(limitKPa float64) truth {
	kPa := make([]float32, s.swe.Rect.Dx()*s.swe.Rect.Dy())
	for i := range kPa {
		kPa[i] = float32(s.swe.Gray16At(i%s.swe.Rect.Dx(), i/s.swe.Rect.Dx()).Y) / 100
	}
	o := example.OfPlane(s.grey.Rect.Dy(), s.grey.Rect.Dx(), 10/simulatedPxPerCM, s.grey.Pix, kPa)
	t := truth{w: o.Width, h: o.Height, kPa: o.KPa, grey: o.Grey, shown: o.Shown, box: o.Box, saturated: make([]bool, len(o.KPa))}
	for i, v := range t.kPa {
		t.saturated[i] = t.shown[i] && v >= limitKPa
	}
	return t
}

// A container is a way for a picture to leave a scanner.
type container struct {
	name    string
	quality int // of a JPEG in it, 0 without loss
	pass    func(t *testing.T, im *image.RGBA) image.Image
}

func containers() []container {
	file := func(quality int) func(*testing.T, *image.RGBA) image.Image {
		return func(t *testing.T, im *image.RGBA) image.Image { return through(t, im, quality) }
	}
	return []container{
		{"PNG", 0, file(0)}, {"JPEG 95", 95, file(95)}, {"JPEG 85", 85, file(85)}, {"JPEG 75", 75, file(75)},
		{"DICOM RGB", 0, func(t *testing.T, im *image.RGBA) image.Image {
			return throughDICOM(t, im, "RGB", "1.2.840.10008.1.2.1", planar(im, rgbOf))
		}},
		{"DICOM YBR_FULL", 0, func(t *testing.T, im *image.RGBA) image.Image {
			return throughDICOM(t, im, "YBR_FULL", "1.2.840.10008.1.2.1", planar(im, ybrOf))
		}},
		{"DICOM RLE", 0, func(t *testing.T, im *image.RGBA) image.Image {
			return throughDICOM(t, im, "RGB", "1.2.840.10008.1.2.5", encapsulate(runLength(im)))
		}},
		{"DICOM JPEG 85", 85, func(t *testing.T, im *image.RGBA) image.Image {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, im, &jpeg.Options{Quality: 85}); err != nil {
				t.Fatal(err)
			}
			return throughDICOM(t, im, "YBR_FULL_422", "1.2.840.10008.1.2.4.50", encapsulate(b.Bytes()))
		}},
	}
}

var full = flag.Bool("full", false, "draw every screen of the round trip (some minutes), not one in sixteen")

// Simulated planes, one with a tumour stiffer than the lowest display limit, come
// back from a scanner's screen: two layouts, three opacities, three display limits
// and two maps, each in eight containers; one in sixteen of them, so that each
// value meets each other one, unless -full is given. -v prints the table.
func TestSimulatedPlanesComeBack(t *testing.T) {
	files, err := filepath.Glob("testdata/simulated_*_bmode.png")
	if err != nil || len(files) == 0 {
		t.Fatal("no simulated plane in testdata", err)
	}
	limits := []float64{70, 150, 300}
	type cell struct {
		container string
		opacity   float64
		warm      bool
	}
	var lock sync.Mutex
	results := map[cell][]agreement{}
	t.Run("screens", func(t *testing.T) {
		for _, file := range files {
			plane := readSimulated(t, file)
			for n := range 36 {
				io, is, sideways, im := n%3, n/3%3, n/9%2 == 1, n/18
				m := made{sideways: sideways, opacity: []float64{0.4, 0.6, 1}[io], limitKPa: limits[is], colours: [][]example.Colour{example.Jet(), example.WarmJet()}[im],
					plainFirst: (n+im)%2 == 1, barLeft: n%5 == 2, pxPerCM: simulatedPxPerCM, plane: plane}
				for k, way := range containers() {
					if !*full && (n*5+k+n/9)%16 != 0 {
						continue
					}
					m.name = fmt.Sprintf("%s, sideways %v, opacity %g, %g kPa, map %d, %s", plane.name, sideways, m.opacity, m.limitKPa, im, way.name)
					t.Run(m.name, func(t *testing.T) {
						t.Parallel()
						drawn, tr := m.draw(t)
						s, err := Analyse(way.pass(t, drawn), Options{})
						if err != nil {
							t.Fatal(err)
						}
						a := compare(s, tr, m)
						lock.Lock()
						c := cell{way.name, m.opacity, im == 1}
						results[c] = append(results[c], a)
						lock.Unlock()
						t.Logf("%+v, opacity %.3f", a, s.Opacity)
						bound := 1.0
						if way.quality == 75 {
							bound = 2
						}
						a.check(t, s, m, way.quality, bound)
					})
				}
			}
		}
	})
	for _, way := range containers() {
		for _, opacity := range []float64{0.4, 0.6, 1} {
			for _, warm := range []bool{false, true} {
				if all := results[cell{way.name, opacity, warm}]; len(all) > 0 {
					worst := all[0]
					for _, a := range all {
						worst.medianKPa, worst.p95KPa = max(worst.medianKPa, a.medianKPa), max(worst.p95KPa, a.p95KPa)
						worst.iou, worst.recall = min(worst.iou, a.iou), min(worst.recall, a.recall)
					}
					t.Logf("%-14s opacity %3.0f %%, %-8s of %2d screens at worst: median error %.2f kPa, 95 %% within %5.2f kPa, masks overlap %.3f, saturated found %.2f",
						way.name, 100*opacity, map[bool]string{false: "jet:", true: "warm jet:"}[warm], len(all), worst.medianKPa, worst.p95KPa, worst.iou, worst.recall)
				}
			}
		}
	}
}

func planar(im *image.RGBA, of func(r, g, b uint8) [3]uint8) []byte {
	var out []byte
	for i := 0; i < len(im.Pix); i += 4 {
		c := of(im.Pix[i], im.Pix[i+1], im.Pix[i+2])
		out = append(out, c[:]...)
	}
	return out
}

func rgbOf(r, g, b uint8) [3]uint8 { return [3]uint8{r, g, b} }

// ybrOf is DICOM's YBR_FULL (PS3.3 C.7.6.3.1.2).
func ybrOf(r, g, b uint8) [3]uint8 {
	y, u, v := 0.299*float64(r)+0.587*float64(g)+0.114*float64(b), -0.1687*float64(r)-0.3313*float64(g)+0.5*float64(b)+128, 0.5*float64(r)-0.4187*float64(g)-0.0813*float64(b)+128
	level := func(x float64) uint8 { return uint8(min(max(x+0.5, 0), 255)) }
	return [3]uint8{level(y), level(u), level(v)}
}

// runLength is DICOM's RLE of an RGB picture (PS3.5 G), all of it as literal
// runs, a segment a channel.
func runLength(im *image.RGBA) []byte {
	header := make([]byte, 64)
	header[0] = 3
	out := header
	for channel := range 3 {
		binary.LittleEndian.PutUint32(out[4+4*channel:], uint32(len(out)))
		var row []byte
		for i := channel; i < len(im.Pix); i += 4 {
			row = append(row, im.Pix[i])
		}
		for len(row) > 0 {
			n := min(len(row), 128)
			out = append(append(out, byte(n-1)), row[:n]...)
			row = row[n:]
		}
		if len(out)%2 == 1 {
			out = append(out, 0x80)
		}
	}
	return out
}

// encapsulate puts one compressed frame into items (PS3.5 A.4).
func encapsulate(frame []byte) []byte {
	if len(frame)%2 == 1 {
		frame = append(frame, 0)
	}
	out := []byte{0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
	out = append(out, frame...)
	return append(out, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0)
}

// throughDICOM writes a file of one frame, explicit little endian, and reads it.
func throughDICOM(t *testing.T, im *image.RGBA, photometric, syntax string, pixels []byte) image.Image {
	t.Helper()
	b := binaryDICOM(im.Rect.Dx(), im.Rect.Dy(), photometric, syntax, pixels)
	file, err := dicom.New("drawn", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := file.Frame(0)
	if err != nil {
		t.Fatal(err)
	}
	return frame.Image()
}

func binaryDICOM(w, h int, photometric, syntax string, pixels []byte) []byte {
	element := func(out []byte, group, number uint16, vr string, value []byte) []byte {
		if len(value)%2 == 1 {
			value = append(value, map[bool]byte{true: 0, false: ' '}[vr == "UI"])
		}
		out = binary.LittleEndian.AppendUint16(out, group)
		out = binary.LittleEndian.AppendUint16(out, number)
		out = append(out, vr...)
		if vr == "OB" || vr == "OW" {
			out = append(out, 0, 0)
			length := uint32(len(value))
			if syntax != "1.2.840.10008.1.2.1" {
				length = 0xFFFFFFFF
			}
			out = binary.LittleEndian.AppendUint32(out, length)
		} else {
			out = binary.LittleEndian.AppendUint16(out, uint16(len(value)))
		}
		return append(out, value...)
	}
	short := func(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
	meta := element(nil, 2, 0x10, "UI", []byte(syntax))
	out := append(make([]byte, 128), "DICM"...)
	out = element(out, 2, 0, "UL", binary.LittleEndian.AppendUint32(nil, uint32(len(meta))))
	out = append(out, meta...)
	out = element(out, 8, 0x16, "UI", []byte("1.2.840.10008.5.1.4.1.1.6.1"))
	out = element(out, 8, 0x18, "UI", []byte("1.2.3.4"))
	out = element(out, 8, 0x60, "CS", []byte("US"))
	out = element(out, 0x28, 2, "US", short(3))
	out = element(out, 0x28, 4, "CS", []byte(photometric))
	out = element(out, 0x28, 6, "US", short(0))
	out = element(out, 0x28, 0x10, "US", short(h))
	out = element(out, 0x28, 0x11, "US", short(w))
	out = element(out, 0x28, 0x100, "US", short(8))
	out = element(out, 0x28, 0x101, "US", short(8))
	out = element(out, 0x28, 0x102, "US", short(7))
	out = element(out, 0x28, 0x103, "US", short(0))
	return element(out, 0x7FE0, 0x10, "OB", pixels)
}
