import { lines, type ServiceFile } from './expected.ts';

const type = 'application/sql';

/** Synthetic dumps in the formats of `mysqldump` and phpMyAdmin. */
export const sqlFiles: ServiceFile[] = [
  {
    format: 'yourls',
    source: 'mysqldump',
    type,
    content: lines(
      '-- MySQL dump 10.13  Distrib 8.0.36',
      '/*!40101 SET NAMES utf8mb4 */;',
      'DROP TABLE IF EXISTS `yourls_log`;',
      'CREATE TABLE `yourls_log` (',
      '  `click_id` int NOT NULL AUTO_INCREMENT,',
      '  `shorturl` varchar(100) NOT NULL,',
      '  `ip_address` varchar(41) NOT NULL,',
      '  PRIMARY KEY (`click_id`)',
      ') ENGINE=InnoDB;',
      "INSERT INTO `yourls_log` VALUES (1,'willow','203.0.113.9'),(2,'it''s; (','203.0.113.9');",
      'CREATE TABLE `yourls_url` (',
      "  `keyword` varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',",
      '  `url` text NOT NULL,',
      '  `title` text,',
      '  `timestamp` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,',
      '  `ip` varchar(41) NOT NULL,',
      '  `clicks` int unsigned NOT NULL,',
      '  PRIMARY KEY (`keyword`),',
      '  KEY `url_idx` (`url`(30))',
      ');',
      String.raw`INSERT INTO ${'`yourls_url`'} VALUES ('willow','https://example.com/willow?a=1&b=\'q\'','A "title" (x), \'y\';\nnext \\ line','2019-08-07 06:05:04','203.0.113.9',5),('rowan','https://example.com/rowan',NULL,'2019-08-07 06:05:04','2001:db8::1',0);`,
      '-- Dump completed on 2024-01-01',
    ),
    urls: [
      {
        short_code: 'willow',
        original_url: 'https://example.com/willow?a=1&b=%27q%27',
        title: String.raw`A "title" (x), 'y'; next \ line`,
        created_at: new Date('2019-08-07T06:05:04Z'),
        click_count: 5,
      },
      { short_code: 'rowan', title: null },
    ],
  },
  {
    format: 'yourls',
    source: 'data alone',
    type,
    content: lines(
      "INSERT IGNORE INTO `my_url` VALUES ('alder','https://example.com/alder','Alder','2019-08-07 06:05:04','203.0.113.9',1);",
    ),
    urls: [{ short_code: 'alder', title: 'Alder', click_count: 1 }],
  },
  {
    format: 'polr',
    source: 'phpMyAdmin',
    type,
    content: lines(
      '-- phpMyAdmin SQL Dump',
      'SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";',
      'INSERT INTO `links` (`id`, `short_url`, `long_url`, `ip`, `creator`, `clicks`, `secret_key`, `is_disabled`, `is_custom`, `is_api`, `created_at`, `updated_at`) VALUES',
      "(1, 'hazel', 'https://example.com/hazel', '203.0.113.9', 'ann', 8, '', 0, 1, 0, '2017-02-03 04:05:06', NULL),",
      "(2, 'secret', 'https://example.com/secret', '203.0.113.9', 'ann', 8, 'k3y', 0, 1, 0, '2017-02-03 04:05:06', NULL);",
    ),
    urls: [{ short_code: 'hazel', click_count: 8, is_active: true }],
    refused: [2],
  },
];
