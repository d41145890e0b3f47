function mpc = case3
% three buses in a  service
mpc.version = '2';
mpc.baseMVA = 100;
%	bus_i	type	Pd	Qd	Gs	Bs	area	Vm	Va	baseKV	zone	Vmax	Vmin
mpc.bus = [
	10	3	0	0	0	0	1	1	0	230	1	11.	0.9;
	20	1	50	10	2	5	1	1	0	230	1	1.1	0.9;
	30	1	-20	0	0	0	1	1	0	230	1	1.1	0.9;
];
%	bus	Pg	Qg	Qmax	Qmin	Vg	mBase	status	Pmax	Pmin
mpc.gen = [
	10	0	0	0	0	1	100	1	100	0;
	20	0	0	0	0	1	100	1	80	10;
	30	0	0	0	0	1	100	1	5	-30;
	30	0	0	0	0	1	100	0	50	0;
	30	0	0	0	0	1	100	1	-10	-40;
];
%	fbus	tbus	r	x	b	rateA	rateB	rateC	ratio	angle	status
mpc.branch = [
	10	20	0.01	0.1	0.02	60	0	0	0	0	1;
	20	30	0.01	0.1	0	0	0	0	0.98	-3.7	1;
	10	30	0	0.2	0	40	0	0	0	0	1;
	10	30	0	0.2	0	40	0	,0	0	0	10;
];
mpc.gencost = [
	2	0	0	3	0.05	12	100	0	0	0;
	1	0	0	3	20	500	50	1100	100	2600;
	1	0	0	3	-30	-750	-10	-350	0	0;
	2	0	0	2	30	0	0	0	0	0;
	1	0	0	2	-40	-2000	0	0	0	0;
];
