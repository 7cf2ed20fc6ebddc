package plots
import ("testing";"fmt";"strings";"os")
func TestZZ(t *testing.T){
 save := func(n string, f *Figure, err error){ t.Helper(); if err!=nil{t.Error(n,err);return}; b,err:=f.png(150); if err!=nil{t.Error(err)}; os.WriteFile("/tmp/plots/"+n+".png",b,0644) }
 var rows []PanelRow
 for i:=range 6 { rows=append(rows, titled(plane(uint64(20+i),96,64,true), fmt.Sprintf("P%03d, %s: rank %d of 30 by error", 41+i, []string{"base","mid","apex"}[i%3], i*5+1), "MAE 4.4 kPa, skill 0.41, tumour contrast 0.8")) }
 f,err:=Panels(rows, Style{Simulated:true}); save("x_six",f,err)
 f,err=Panels([]PanelRow{titled(plane(9,400,300,false),"P050, mid","")}, Style{Map:"magma"}); save("x_big",f,err)
 r:=plane(9,40,120,true); r.Labels=nil; f,err=Panels([]PanelRow{titled(r,"Wide","no histopathology"),titled(r,"Wide again","outside the training domain")}, Style{}); save("x_wide",f,err)
 e:=errorSample(); e.PlaneMAEKPa=nil; e.PlanePatient=nil; rng:=stream(5)
 for i:=range 90 { for range 3 { e.PlaneMAEKPa=append(e.PlaneMAEKPa, 4+rng.Float64()*3); e.PlanePatient=append(e.PlanePatient, fmt.Sprintf("P%03d",i)) } }
 f,err=ErrorDistribution(e,Style{}); save("x_ninety",f,err)
 var maps []LabelledMap
 for i:=range 6 { m:=story()[i%4]; maps=append(maps,m) }
 f,err=SideBySide(maps,Style{Simulated:true}); save("x_six_maps",f,err)
 f,err=SideBySide(story()[1:3],Style{Simulated:true}); save("x_two_maps",f,err)
 f,err=Baselines([]BaselineRow{{Name:strings.Repeat("very long name of a baseline ",4),MAEKPa:3,Low:2,High:4},{Name:"net",MAEKPa:2,Low:1.5,High:2.2,Model:true}},Style{}); save("x_longname",f,err)
 d := difference(plane(5,64,56,false).SSWE, plane(5,64,56,false).SWE)
 f,err=SideBySide([]LabelledMap{{Title:"Error",Unit:"sSWE − SWE (kPa)",Map:"diverging",Field:&d},{Title:"Shear-wave speed",Unit:"m/s",Field:&Map{2,3,5,[]float32{1.1,2.2,3.3,2,2.5,1.5}}},{Title:"In kPa of log",Unit:"log",Field:&Map{2,3,5,[]float32{0.011,0.022,0.033,0.02,0.025,0.015}}}},Style{}); save("x_div",f,err)
 f,err=Network(unet(512,512,6,64),Style{}); save("x_deep",f,err)
 _=strings.Repeat
}
func TestZZ2(t *testing.T){
 r:=plane(9,4,90,true); r.Labels=nil; f,err:=Panels([]PanelRow{titled(r,"Wide","no histopathology"),titled(plane(9,40,120,true),"Wide again","outside the training domain")}, Style{}); if err!=nil{t.Fatal(err)}
 b,_:=f.png(150); os.WriteFile("/tmp/plots/x_flat.png",b,0644)
}
