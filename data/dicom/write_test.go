package dicom

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elastography/data/dicom/dicomtest"
)

var (
	testKey        = &Key{secret: [keyBytes]byte{1, 2, 3}}
	testIdentity   = Identity{Patient: "p-aaaa", StudyUID: "2.25.1", SeriesUID: "2.25.2", InstanceUID: "2.25.3", SOPClassUID: "1.2.840.10008.5.1.4.1.1.6.1", FrameUID: "2.25.4", Modality: "US", StudyDate: "20190203", Frames: 1}
	testProvenance = Provenance{Source: testIdentity, Model: "model-7f3a", TrainingDomain: "simulated prostate, 40 patients", Version: "1.2", Made: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Warning: "looks unlike the training pictures"}
)

// testMap has kPa that a 16-bit or text coding would bend, and missing values.
func testMap() StiffnessMap {
	m := StiffnessMap{Height: 61, Width: 47, MMPerPx: 0.21437, ScaleMaxKPa: 70}
	for i := range m.Height * m.Width {
		v := float32(math.Pi*float64(i)/97 + 0.01)
		if i%13 == 0 {
			v = float32(math.NaN())
		}
		m.KPa = append(m.KPa, v)
	}
	return m
}

func testPanel(w, h int) *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			im.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	return im
}

// TestOtherReadersOpenWhatWeWrite: pydicom and highdicom, without a warning, and
// find the same kPa, unit, spacing and source.
func TestOtherReadersOpenWhatWeWrite(t *testing.T) {
	python := dicomtest.Python(t)
	dir := t.TempDir()
	m, panel := testMap(), testPanel(333, 120)
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := WriteParametricMap(file("map.dcm"), m, testProvenance); err != nil {
		t.Fatal(err)
	}
	if err := WriteSecondaryCapture(file("capture.dcm"), panel, testProvenance); err != nil {
		t.Fatal(err)
	}
	var kPa, rgb []byte
	for _, v := range m.KPa {
		kPa = binary.LittleEndian.AppendUint32(kPa, math.Float32bits(v))
	}
	for i := 0; i < len(panel.Pix); i += 4 {
		rgb = append(rgb, panel.Pix[i:i+3]...)
	}
	for name, b := range map[string][]byte{"kpa.f32": kPa, "panel.rgb": rgb} {
		if err := os.WriteFile(file(name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, "testdata/check.py", file("map.dcm"), file("capture.dcm"), file("kpa.f32"), file("panel.rgb"), testIdentity.InstanceUID).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("largest difference %s kPa", strings.TrimSpace(string(out)))
}

// TestTheStandardsCheckerFindsNoError: dciodvfy of dicom3tools, where it is
// installed, with a source image that is DICOM and with one that is not.
func TestTheStandardsCheckerFindsNoError(t *testing.T) {
	checker, err := exec.LookPath("dciodvfy")
	if err != nil {
		t.Skip("dciodvfy is not installed (Debian: dicom3tools)")
	}
	picture := testProvenance
	picture.Source.InstanceUID, picture.Source.SOPClassUID = "", ""
	for name, p := range map[string]Provenance{"DICOM": testProvenance, "picture": picture} {
		dir := t.TempDir()
		for file, write := range map[string]func(string) error{
			"map.dcm":     func(path string) error { return WriteParametricMap(path, testMap(), p) },
			"capture.dcm": func(path string) error { return WriteSecondaryCapture(path, testPanel(33, 12), p) },
		} {
			path := filepath.Join(dir, file)
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), checker, "-new", path).CombinedOutput()
			if err != nil || strings.Contains(string(out), "Error") {
				t.Errorf("%s of a %s: %v\n%s", file, name, err, out)
			}
		}
	}
}

// TestTheCaptureSaysThatItIsSynthetic: in its pixels, below the panel, which our
// own reader gives back as it was.
func TestTheCaptureSaysThatItIsSynthetic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "capture.dcm")
	panel := testPanel(301, 77) // odd: the pixel data need padding
	if err := WriteSecondaryCapture(path, panel, testProvenance); err != nil {
		t.Fatal(err)
	}
	im, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	frame, err := im.Frame(0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 301 * 77 {
		if [3]uint8(frame.Pix[3*i:]) != [3]uint8(panel.Pix[4*i:]) {
			t.Fatalf("pixel %d of the panel changed", i)
		}
	}
	lit := 0
	for _, v := range frame.Pix[3*301*77:] {
		if v > 200 {
			lit++
		}
	}
	if im.BurnedIn || im.Height < 77+3*13 || lit < 2000 {
		t.Errorf("%d rows, %d bright samples below the panel", im.Height, lit)
	}
}

// TestObjectsAreNamedByWhatTheyAre: the same map is the same object, another map,
// model or source another one.
func TestObjectsAreNamedByWhatTheyAre(t *testing.T) {
	uid := func(m StiffnessMap, p Provenance) string {
		path := filepath.Join(t.TempDir(), "map.dcm")
		if err := WriteParametricMap(path, m, p); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "\x02\x00\x03\x00UI")
		return strings.TrimRight(rest[2:2+int(rest[0])], "\x00")
	}
	first := uid(testMap(), testProvenance)
	if again := uid(testMap(), testProvenance); again != first || !uidForm.MatchString(first) {
		t.Errorf("%s, then %s", first, again)
	}
	other := testMap()
	other.KPa[5]++
	model, source, frame := testProvenance, testProvenance, testProvenance
	model.Model, source.Source.InstanceUID, frame.Frame = "another", "2.25.77", 3
	for what, u := range map[string]string{"map": uid(other, testProvenance), "model": uid(testMap(), model), "source": uid(testMap(), source), "frame": uid(testMap(), frame)} {
		if u == first {
			t.Errorf("another %s has the same UID", what)
		}
	}
}

func TestNothingIsWrittenWithoutItsOrigin(t *testing.T) {
	dir := t.TempDir()
	for what, change := range map[string]func(*StiffnessMap, *Provenance){
		"no model":           func(m *StiffnessMap, p *Provenance) { p.Model = "" },
		"no training domain": func(m *StiffnessMap, p *Provenance) { p.TrainingDomain = "" },
		"no patient":         func(m *StiffnessMap, p *Provenance) { p.Source = Identity{} },
		"no time":            func(m *StiffnessMap, p *Provenance) { p.Made = time.Time{} },
		"no pixel size":      func(m *StiffnessMap, p *Provenance) { m.MMPerPx = 0 },
		"no scale":           func(m *StiffnessMap, p *Provenance) { m.ScaleMaxKPa = math.NaN() },
		"too few values":     func(m *StiffnessMap, p *Provenance) { m.KPa = m.KPa[1:] },
		"a negative modulus": func(m *StiffnessMap, p *Provenance) { m.KPa[9] = -2 },
		"an infinite one":    func(m *StiffnessMap, p *Provenance) { m.KPa[9] = float32(math.Inf(1)) },
	} {
		m, p := testMap(), testProvenance
		change(&m, &p)
		if err := WriteParametricMap(filepath.Join(dir, "map.dcm"), m, p); err == nil {
			t.Errorf("%s: written", what)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
