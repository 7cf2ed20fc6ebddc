package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func drawn(t *testing.T, name string) *Figure {
	t.Helper()
	for _, e := range examples {
		if e.name == name {
			f, err := e.draw()
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("no example %q", name)
	return nil
}

func TestTheSameDataGiveTheSameBytes(t *testing.T) {
	for _, name := range []string{"panels", "error_distribution"} { // several images, and a map of baselines
		a, b := drawn(t, name), drawn(t, name)
		for _, format := range []struct {
			name   string
			encode func(*Figure) ([]byte, error)
		}{{"PNG", (*Figure).PNG}, {"SVG", (*Figure).SVG}, {"PDF", (*Figure).PDF}} {
			first, err := format.encode(a)
			if err != nil {
				t.Fatal(err)
			}
			second, err := format.encode(b)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) {
				t.Errorf("%s: two %s files of the same data differ", name, format.name)
			}
		}
	}
}

func TestSaveWritesThreeWholeFilesAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures", "new")
	paths, err := drawn(t, "baselines").Save(filepath.Join(dir, "baselines"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 3 {
		t.Fatalf("Save returned %q", paths)
	}
	starts := map[string]string{".png": "\x89PNG", ".svg": "<?xml", ".pdf": "%PDF"}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := starts[filepath.Ext(path)]; !bytes.HasPrefix(data, []byte(want)) {
			t.Errorf("%s does not begin with %q", path, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 {
		t.Errorf("%d files in the folder: a temporary one was left", len(entries))
	}
}

func TestSaveNamesTheFileItCannotWrite(t *testing.T) {
	base := filepath.Join(t.TempDir(), "taken")
	if err := os.MkdirAll(filepath.Join(base+".png", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := drawn(t, "baselines").Save(base)
	if err == nil || !strings.Contains(err.Error(), "taken.png") || !strings.Contains(err.Error(), "Baselines") {
		t.Errorf("error %v names neither figure nor file", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(base), ".*")); len(left) > 0 {
		t.Errorf("temporary files left: %q", left)
	}
}

func TestAPanicOfTheDrawingLibraryBecomesAnError(t *testing.T) {
	f := newFigure("Broken", 50, 50, Style{}, "", func(page) { panic(errors.New("no font")) })
	if _, err := f.PNG(); err == nil || !strings.Contains(err.Error(), "Broken") || !strings.Contains(err.Error(), "no font") {
		t.Errorf("got %v", err)
	}
}

func TestPNGHasThePixelsOfItsSizeAt300DPI(t *testing.T) {
	f := drawn(t, "panels")
	data, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the resolution chunk broke the file: %v", err)
	}
	width, _ := f.SizeMM()
	if width > doubleColumnMM+0.01 {
		t.Errorf("%.1f mm is wider than two columns", width)
	}
	if want := int(width / 25.4 * 300); img.Width < want-1 || img.Width > want+1 {
		t.Errorf("%d pixels for %.1f mm, want %d", img.Width, width, want)
	}
	if !bytes.Contains(data[:70], []byte("pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01")) {
		t.Error("the file does not say 11811 pixels a metre")
	}
}

func TestSVGIsWellFormedAndSpeaks(t *testing.T) {
	f, err := Grayscale(plane(1, 20, 20, false).BMode, `B-mode <"raw" & fine>`, Style{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	var described strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(data))
	inside := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			inside = v.Name.Local == "desc"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				described.Write(v)
			}
		}
	}
	if described.String() != f.Alt() {
		t.Errorf("description %q, alt text %q", described.String(), f.Alt())
	}
}

func TestSimulatedDataAreLabelledInPictureAndWords(t *testing.T) {
	row := []PanelRow{plane(1, 30, 30, false)}
	marked, err := Panels(row, Style{Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Panels(row, Style{})
	if err != nil {
		t.Fatal(err)
	}
	text := func(f *Figure) string {
		data, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if !strings.Contains(text(marked), ">simulated data</text>") || !strings.HasPrefix(marked.Alt(), "Simulated data.") {
		t.Error("a figure of simulated data does not say so")
	}
	if strings.Contains(text(plain), "simulated") {
		t.Error("a figure of real data says that it is simulated")
	}
}

func TestAltTextsCarryTheMainNumbers(t *testing.T) {
	for name, numbers := range map[string][]string{
		"measured_vs_synthetic": {"0.71", "6.2 kPa", "0.83", "4.60 kPa"},
		"bland_altman":          {"−1.9 kPa", "−14.6", "+10.8"},
		"roc":                   {"0.94 (0.88 to 0.98)", "0.86"},
		"baselines":             {"sSWE network 4.7 (4.1 to 5.4)", "cohort median 8.6"},
		"error_distribution":    {"40,000", "10 patients", "cohort median 8.6 kPa"},
		"panels":                {"P041, mid: best MAE 3.1 kPa"},
	} {
		alt := drawn(t, name).Alt()
		for _, n := range numbers {
			if !strings.Contains(alt, n) {
				t.Errorf("%s: %q is not in %q", name, n, alt)
			}
		}
	}
}

func TestTextBeyondTheCodePageOfPDFIsStillDrawn(t *testing.T) {
	if _, ok := windows1252("≥ 35 kPa"); ok {
		t.Error("≥ is not in Windows-1252")
	}
	if s, ok := windows1252("±5 – µm"); !ok || s != "\xb15 \x96 \xb5m" {
		t.Errorf("got %q", s)
	}
	if path := textOutline(labelPen.face(), page{}.Min, "≥"); len(path) < 8 {
		t.Errorf("≥ has an outline of %d parts", len(path))
	}
}
