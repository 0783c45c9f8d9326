-- An in-memory database: inserts, an index, joins, aggregates.
CREATE TABLE item(id INTEGER PRIMARY KEY, kind INTEGER, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO item SELECT i, i * 7919 % 97, printf('name-%d', i * 31 % 5003), i % 1000 / 7.0 FROM n;
CREATE INDEX by_kind ON item(kind, price);
SELECT count(*), sum(price) FROM item WHERE name LIKE '%-1%7';
SELECT kind, count(*), round(avg(price), 4) FROM item GROUP BY kind ORDER BY 3 DESC LIMIT 3;
SELECT count(*) FROM item a JOIN item b ON a.kind = b.kind AND b.price > a.price WHERE a.id < 60;
