create table item(id integer primary key, name text, price real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
insert into item select i, 'item' || (i * 7919 % 1009), i * 1.25 from n;
create index by_name on item(name);
select count(*), sum(price), avg(price), min(name), max(name) from item;
select name, count(*) c, round(total(price), 3) from item group by name order by c desc, name limit 5;
begin;
update item set price = price * 1.1 where id % 7 = 0;
rollback;
select round(sum(price), 2) from item where name like 'item1%';
select a.id, b.id from item a join item b on a.name = b.name and a.id < b.id order by 1, 2 limit 3;
select hex(zeroblob(4)), printf('%08.3f', 3.14159), json_extract('{"a":[1,{"b":2}]}', '$.a[1].b');
select sqrt(2), exp(1), ln(10);
pragma integrity_check;
