package intake

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/suyashkumar/dicom/pkg/tag"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/npz"
)

// defaults let the arrays of samples_test.go in.
var defaults = Defaults{"mm_per_px": "0.0977", "scale_max_kpa": "150", "organ": "muscle"}

func newImporter(t testing.TB) *Importer {
	t.Helper()
	out := filepath.Join(t.TempDir(), "cohort")
	key, err := dicom.OpenKey(filepath.Join(PrivateFolder(out), "pseudonym.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &Importer{Out: out, Private: PrivateFolder(out), Key: key}
}

// run imports what the paths mean and seals the cohort.
func run(t testing.TB, im *Importer, d Defaults, paths ...string) (*Summary, archive.Counters) {
	t.Helper()
	rule, err := ParsePatientRule("folder")
	if err != nil {
		t.Fatal(err)
	}
	list, err := List(paths, rule)
	if err != nil {
		t.Fatal(err)
	}
	c, err := archive.Run(t.Context(), slices.Values(im.Rows(list.Items, d)), archive.Options{Folders: im.Folders()}, im.Work())
	if err != nil {
		t.Fatal(err)
	}
	s, err := im.Seal(0.25)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// files is every file below a folder by its path.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		out[rel], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Sixty mixed files, of which every twentieth is damaged: the good ones become
// a cohort that loads, each bad one is named, a second import does nothing.
func TestAFolderOfMixedExportsBecomesACohort(t *testing.T) {
	dir := t.TempDir()
	const n = 60
	bad := mixed(t, dir, n)
	write(t, filepath.Join(dir, "notes.txt"), []byte("no picture"))
	originals := files(t, dir)
	im := newImporter(t)
	s, c := run(t, im, defaults, dir)
	if c.Rows != n || len(s.Refused) != bad || s.Accepted != n-bad || s.Planes != n-bad {
		t.Errorf("%+v of %d files, %d bad: %+v", c, n, bad, s)
	}
	for _, l := range s.Refused {
		t.Log(l)
		if l.Reason == "" || l.Remedy == "" || !strings.HasPrefix(l.File, dir) {
			t.Errorf("a dead letter lacks file, reason or remedy: %+v", l)
		}
	}
	cohort, err := data.Open(im.Out)
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for _, split := range []data.Split{data.Train, data.Test} {
		planes, _, err := cohort.Load(t.Context(), split, false)
		if err != nil {
			t.Fatal(err)
		}
		loaded += len(planes)
	}
	if loaded != n-bad {
		t.Errorf("%d planes load", loaded)
	}
	// Each of the six folders has pictures and DICOM files: they are not split.
	split := map[string]data.Split{}
	for r, err := range im.Folders().Records() {
		if err != nil || r.Refused != nil {
			continue
		}
		folder := filepath.Dir(r.Row.Name())
		for _, row := range cohort.Rows {
			if len(r.Outputs) == 0 || r.Outputs[0].Path != row.ID()+".npz" {
				continue
			}
			if split[folder] != "" && split[folder] != row.Split {
				t.Errorf("%s is in both splits", folder)
			}
			split[folder] = row.Split
		}
	}
	if len(split) != 6 {
		t.Errorf("%d folders of six: %v", len(split), split)
	}

	before := files(t, im.Out)
	if _, c = run(t, im, defaults, dir); c.Skipped != n {
		t.Errorf("a second import did %d files again", c.Computed)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(files(t, im.Out)))); diff != "" {
		t.Error(diff)
	}
	if !maps.EqualFunc(originals, files(t, dir), bytes.Equal) {
		t.Error("an original was touched")
	}
}

// The same screen in any container is the same plane, whatever its file name.
func TestCopiesAreOnePlane(t *testing.T) {
	dir := t.TempDir()
	screen := realScreen(t)
	for _, name := range []string{"a/one.png", "a/two.tif", "b/three.png"} {
		writeScreen(t, filepath.Join(dir, name), screen)
	}
	s, _ := run(t, newImporter(t), nil, dir)
	if s.Planes != 1 || s.Copies != 2 {
		t.Errorf("%d planes, %d copies of one screen in three files", s.Planes, s.Copies)
	}
}

// A file full of personal data, text burned in: nothing of it is in the cohort.
func TestNoPersonalDataReachTheCohort(t *testing.T) {
	secrets := map[tag.Tag]string{
		tag.PatientName: "SECRETNAME^ANNA", tag.PatientID: "SECRETID77", tag.PatientBirthDate: "19510203", tag.PatientSex: "F",
		tag.OtherPatientNames: "SECRETOTHER", tag.PatientAddress: "SECRETSTREET 5", tag.PatientTelephoneNumbers: "SECRETPHONE",
		tag.InstitutionName: "SECRETHOSPITAL", tag.ReferringPhysicianName: "SECRETDOCTOR", tag.OperatorsName: "SECRETOPERATOR",
		tag.AccessionNumber: "SECRETACC", tag.StudyID: "SECRETSTUDY", tag.StudyDescription: "SECRETDESC", tag.PatientComments: "SECRETCOMMENT",
		tag.StationName: "SECRETSTATION", tag.DeviceSerialNumber: "SECRETSERIAL", tag.StudyInstanceUID: "1.2.77.88.99",
		tag.StudyDate: "20190807", tag.ContentDate: "20190806", {Group: 0x0009, Element: 0x1001}: "SECRETPRIVATE",
		tag.Manufacturer: "Maker", tag.ManufacturerModelName: "Model 1",
	}
	delete(secrets, tag.Tag{Group: 0x0009, Element: 0x1001}) // the library writes no private element without a dictionary
	dir := t.TempDir()
	writeDICOM(t, filepath.Join(dir, "SECRETFOLDER", "SECRETFILE.dcm"), secrets, signed(realScreen(t), "SECRETNAME ANNA 19510203"))
	writeScreen(t, filepath.Join(dir, "SECRETFOLDER", "SECRETPICTURE.png"), signed(realScreen(t), "SECRETNAME"))
	table := "file,patient,split\nSECRETFOLDER/SECRETPICTURE.png,SECRETTABLE,test\n"
	write(t, filepath.Join(dir, "list.csv"), []byte(table))

	im := newImporter(t)
	s, _ := run(t, im, Defaults{"organ": "muscle"}, filepath.Join(dir, "SECRETFOLDER", "SECRETFILE.dcm"), filepath.Join(dir, "list.csv"))
	if s.Planes != 2 {
		t.Fatalf("%+v", s)
	}
	for name, b := range files(t, im.Out) {
		b = append(b, unpacked(t, name, b)...)
		for _, word := range []string{"SECRET", "19510203", "20190807", "20190806", "1.2.77.88.99", "export"} {
			if bytes.Contains(bytes.ToUpper(b), []byte(word)) || strings.Contains(strings.ToUpper(name), word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
	}
	report, _ := os.ReadFile(filepath.Join(im.Out, "deidentification.md"))
	for _, word := range []string{"PatientName", "InstitutionName", "PatientAddress"} {
		if !strings.Contains(string(report), word) {
			t.Errorf("the report does not say that %s was left out:\n%s", word, report)
		}
	}
	manifest, _ := os.ReadFile(filepath.Join(im.Out, "manifest.csv"))
	if !strings.Contains(string(manifest), "Maker Model 1") {
		t.Errorf("the scanner is not named:\n%s", manifest)
	}
	for _, name := range []string{"pseudonym.key", "sources.csv", "dead_letters.csv"} {
		info, err := os.Stat(filepath.Join(im.Private, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v", name, err, info.Mode())
		}
	}
}

// unpacked is what a file holds compressed: the arrays of a plane.
func unpacked(t *testing.T, name string, b []byte) (out []byte) {
	if filepath.Ext(name) != ".npz" {
		return nil
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range archive.File {
		f, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data...)
	}
	return out
}

// A cine of five frames, of which two repeat another: three planes, one patient.
func TestACineIsImportedWithoutItsRepeats(t *testing.T) {
	dir := t.TempDir()
	screen := realScreen(t)
	blueSpot := func(x int) *image.RGBA { // the SWE overlay changes
		out := signed(screen, "CINE")
		for y := 180; y < 220; y++ {
			for k := range 60 {
				i := out.PixOffset(x+k, y)
				j := out.PixOffset(560+k%40, 195+y%10)
				copy(out.Pix[i:i+3], screen.Pix[j:j+3])
			}
		}
		return out
	}
	a, b, c := signed(screen, "CINE"), blueSpot(330), blueSpot(430)
	path := filepath.Join(dir, "cine.dcm")
	writeDICOM(t, path, map[tag.Tag]string{tag.PatientID: "7"}, a, a, b, b, c)
	im := newImporter(t)
	s, _ := run(t, im, nil, path)
	if s.Planes != 3 || s.Patients[data.Train]+s.Patients[data.Test] != 1 {
		t.Errorf("%+v", s)
	}
}

// Patients keep their split when more files come, and a table's split wins.
func TestSplitsStayWhenTheCohortGrows(t *testing.T) {
	dir := t.TempDir()
	for k := range 16 {
		writeArrays(t, filepath.Join(dir, fmt.Sprintf("patient%02d", k), "a.npz"), 7*k)
	}
	im := newImporter(t)
	run(t, im, defaults, filepath.Join(dir, "patient0*"))
	splits := func() map[string]data.Split {
		c, err := data.Open(im.Out)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]data.Split{}
		for _, r := range c.Rows {
			out[r.Patient] = r.Split
		}
		return out
	}
	before := splits()
	s, _ := run(t, im, defaults, filepath.Join(dir, "patient1*"))
	after := splits()
	for patient, split := range before {
		if after[patient] != split {
			t.Errorf("patient %s went from %s to %q", patient, split, after[patient])
		}
	}
	if len(after) != 16 || s.Patients[data.Test] != 4 {
		t.Errorf("%d patients, %v; a quarter is for testing", len(after), s.Patients)
	}

	table := "file,patient,split\npatient00/a.npz,X,test\npatient01/a.npz,X,train\n"
	write(t, filepath.Join(dir, "leak.csv"), []byte(table))
	leaky := newImporter(t)
	items, err := ReadTable(filepath.Join(dir, "leak.csv"), PatientRule{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Run(t.Context(), slices.Values(leaky.Rows(items, defaults)), archive.Options{Folders: leaky.Folders()}, leaky.Work()); err != nil {
		t.Fatal(err)
	}
	if _, err := leaky.Seal(0.2); !errors.Is(err, data.ErrLeak) {
		t.Errorf("a patient in both splits: %v", err)
	}
}

func TestTablesAreReadOrRefusedByLine(t *testing.T) {
	for _, c := range []struct{ table, says string }{
		{"", "empty"},
		{"file,pateint\n", "pateint"},
		{"file,file\na,b\n", "twice"},
		{"file,split\na.png,validation\n", "line 2"},
		{"file,split\na.png,train\nb.png\n", "line 3"},
		{"file,mm_per_px\na.png,-1\n", "mm_per_px"},
		{"file,scale_max_kpa\na.png,NaN\n", "scale_max_kpa"},
		{"bmode\na.npy\n", "swe"},
		{"file,box\na.png,\"1,2,3\"\n", "LEFT,TOP"},
		{"file,plane\na.png,../b\n", "plane"},
		{"bmode,swe,unit\na.npy,b.npy,mmHg\n", "mmHg"},
		{"file\n", "no file"},
	} {
		_, err := readTable(strings.NewReader(c.table), "/scans", PatientRule{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v does not name %q", c.table, err, c.says)
		}
	}
	items, err := readTable(strings.NewReader("\ufefffile, bmode,swe ,patient,unit\n,a.npz#grey,b.nii.gz,7,m/s\n x.png,,,8,\n"), "/scans", PatientRule{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Item{
		{Files: []string{"/scans/a.npz", "/scans/b.nii.gz"}, Patient: "id 7", Fields: map[string]string{"bmode": "#grey", "swe": "#", "unit": "m/s"}},
		{Files: []string{"/scans/x.png"}, Patient: "id 8", Fields: map[string]string{"file": "#"}},
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Error(diff)
	}
}

// B-mode, stiffness in m/s and labels from three programs' formats, by a table:
// two planes, censored at the display limit, missing where there was no reading.
func TestArraysOfATableBecomePlanes(t *testing.T) {
	dir := t.TempDir()
	const n, h, w = 2, 3, 5
	grey, speed, label := make([]uint8, n*h*w), make([]float64, n*h*w), make([]uint8, n*h*w)
	for i := range grey {
		grey[i], speed[i] = uint8(10*i), 1+float64(i)/4
	}
	speed[5], label[7] = math.NaN(), 3
	if err := npz.WriteFile(filepath.Join(dir, "a.npz"), map[string]npz.Array{"b": npz.Of(grey, n, h, w), "c": npz.Of(speed, n, h, w), "l": npz.Of(label, n, h, w)}); err != nil {
		t.Fatal(err)
	}
	table := "bmode,swe,labels,unit,scale_max_kpa,mm_per_px,patient,plane,organ,scanner,split\n" +
		"a.npz#b,a.npz#c,a.npz#l,m/s,70,0.2,7,mid,thyroid,Maker X,train\n"
	write(t, filepath.Join(dir, "list.csv"), []byte(table))
	im := newImporter(t)
	run(t, im, nil, filepath.Join(dir, "list.csv"))
	c, err := data.Open(im.Out)
	if err != nil {
		t.Fatal(err)
	}
	planes, _, err := c.Load(t.Context(), data.Train, false)
	if err != nil || len(planes) != n {
		t.Fatalf("%v, %d planes", err, len(planes))
	}
	p := planes[0]
	if p.Name != "mid-000" || p.Organ != "thyroid" || p.Scanner != "Maker X" || p.MMPerPx != 0.2 || p.Labels[7] != 3 || p.BMode[3] != 30 {
		t.Errorf("%+v", p)
	}
	if p.Valid(5) || math.Abs(float64(p.SWEKPa[4])-3*2*2) > 1e-4 || p.Saturated[4] {
		t.Errorf("2 m/s reads %g kPa, NaN reads %g", p.SWEKPa[4], p.SWEKPa[5])
	}
	if last := planes[1]; last.SWEKPa[11] != 70 || !last.Saturated[11] {
		t.Errorf("a stiffness above the limit reads %g", last.SWEKPa[11])
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add("file,patient\na.png,7\n")
	f.Add("bmode,swe,labels,mm_per_px,scale_max_kpa\na.npy,b.npy#x,c.nii,0.1,70\n")
	f.Add("file,box\n\"a\nb.png\",\"1,2,3,4\"\n")
	f.Fuzz(func(t *testing.T, table string) {
		items, err := readTable(strings.NewReader(table), "/scans", PatientRule{})
		if err != nil {
			return
		}
		for _, item := range items {
			if len(item.Files) == 0 || item.Patient == "" {
				t.Fatalf("%+v", item)
			}
			if _, err := options(item.Fields); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Given a whole SWE screen to synthesize from, a picture or DICOM, the plain view
// is taken and nothing around it; a screen that is not understood is warned of.
func TestTheSourceOnAScreenIsItsPlainView(t *testing.T) {
	dir := t.TempDir()
	screen := realScreen(t)
	writeScreen(t, filepath.Join(dir, "screen.png"), screen)
	writeScreen(t, filepath.Join(dir, "screen.dcm"), screen)
	half := image.NewRGBA(image.Rect(0, 0, screen.Rect.Dx(), screen.Rect.Dy()/2)) // the view with the overlay alone
	copy(half.Pix, screen.Pix)
	writeScreen(t, filepath.Join(dir, "half.png"), half)
	opt := SourceOptions{Key: newImporter(t).Key, Organ: "muscle"}
	for _, name := range []string{"screen.png", "screen.dcm"} {
		s, err := ReadSource(filepath.Join(dir, name), opt)
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Plane; s.Warning != "" || !strings.Contains(s.Note, "plain view") || p.Width > 530 || p.Height > 300 || math.Abs(p.MMPerPx-0.0977) > 0.001 || p.Organ != "muscle" {
			t.Errorf("%s: %d x %d px of %.4f mm, note %q, warning %q", name, p.Width, p.Height, p.MMPerPx, s.Note, s.Warning)
		}
	}
	s, err := ReadSource(filepath.Join(dir, "half.png"), opt)
	if err != nil {
		t.Fatal(err)
	}
	if s.Note != "" || !strings.Contains(s.Warning, "coloured") || !strings.Contains(s.Warning, "--crop") {
		t.Errorf("half a screen: note %q, warning %q", s.Note, s.Warning)
	}
	opt.Crop = image.Rect(10, 20, 110, 80)
	if s, err = ReadSource(filepath.Join(dir, "half.png"), opt); err != nil || s.Plane.Width != 100 || s.Plane.Height != 60 || s.Warning != "" {
		t.Errorf("the part that is given: %v, %+v", err, s)
	}
}
